"""Why to look again. Whoever notices something (a file, a clock, libvirt, a branch) tells it from any thread; the loop
takes it."""

from collections.abc import Callable
from enum import StrEnum

from cloudsync.model.dataclass import dataclass


class Reason(StrEnum):
    START = "start"
    SAVE = "save"
    INTERVAL = "interval"
    EVENT = "event"
    COMMIT = "commit"
    APPROVAL = "approval"
    RETRY = "retry"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Trigger:
    """`detail` says to a person what it was: a file, a guest that crashed, a commit. `about` is the address of the
    instance or host that it is about, where it is about one."""

    reason: Reason
    detail: str = ""
    about: str = ""


Tell = Callable[[Trigger], None]
"""Never blocks, and may be called from any thread, also after the watch has ended."""
