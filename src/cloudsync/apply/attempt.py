"""One step, tried again where that can help, and given up when it says nothing for too long. Called by execute.py.

Neither libvirt nor ssh can be interrupted: what was given up may go on there, and ends with the process here.
"""

import threading
from collections.abc import Callable
from threading import Event as Flag
from time import monotonic

from cloudsync.apply.driver import Progress
from cloudsync.model.problem import HostError, TransientError
from cloudsync.model.step import AwaitInstance, MoveInstance, Step, StopInstance, UpdateInstance

_PAUSES = (1.0, 3.0, 9.0)
"""Seconds before each further try."""
_SILENCE = 300.0
"""Seconds without a word after which a step has failed: creating a disk on slow storage takes minutes, not more."""
_LEFT = {
    "put-image": "what has come of the image is kept apart from those that are used",
    "delete-image": "its file may still be in the cache",
    "put-document": "the host has its former document or this one, never half of it",
    "create-instance": "its disks and its definition may be there, and it has not run",
    "update-instance": "it may be off, or written anew and not started",
    "move-instance": "it is where it was; what has come of its disk is there",
    "start-instance": "it may be off",
    "stop-instance": "it may still run",
    "await-instance": "it may be back yet, and what was to go down after it was left as it is",
    "delete-instance": "it is off or still runs, and its disk may be there",
    "delete-disk": "it is on record until it is gone",
}


def left(step: Step) -> str:
    """What a step leaves behind that fails."""
    return f"{_LEFT.get(step.kind, 'some of it may be done')}; the next apply takes care of that"


def patience(step: Step) -> float:
    """Seconds that it may be silent: a guest that is asked to go off, or to come back, has its own time besides."""
    if isinstance(step, AwaitInstance):
        return _SILENCE + step.timeout
    grace = step.grace if isinstance(step, UpdateInstance | MoveInstance | StopInstance) else 0.0
    return _SILENCE + grace


def attempt(
    step: Step, act: Callable[[Progress], None], tell: Progress, stop: Flag, silence: Callable[[Step], float]
) -> None:
    """Have `act` done. HostError when it fails, or says nothing for `silence`; no further try once `stop` is set."""
    for pause in _PAUSES:
        try:
            _bounded(step, act, tell, silence(step))
        except TransientError as error:
            tell(f"{error.message}; once more in {pause:g} s")
            if stop.wait(pause):
                raise
        else:
            return
    _bounded(step, act, tell, silence(step))


def _bounded(step: Step, act: Callable[[Progress], None], tell: Progress, silence: float) -> None:
    over, failure, heard = Flag(), list[BaseException](), [monotonic()]

    def progress(text: str) -> None:
        heard[0] = monotonic()
        tell(text)

    def run() -> None:
        try:
            act(progress)
        except BaseException as error:
            failure.append(error)
        finally:
            over.set()

    threading.Thread(target=run, name=step.id, daemon=True).start()
    while not over.wait(max(0.0, heard[0] + silence - monotonic())):
        if monotonic() - heard[0] >= silence:
            raise HostError(
                f"host {step.host}: nothing was heard of it for {silence:g} s; it may still go on there",
                "look at that machine: is its storage slow, does libvirtd hang?",
            )
    if failure:
        raise failure[0]
