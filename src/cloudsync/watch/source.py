"""Where the wanted cloud comes from, and who else may notice that it is time to look. The loop begins and ends them."""

from collections.abc import Collection
from typing import Protocol

from cloudsync.hosts.fleet import Fleet
from cloudsync.model.cloud import Cloud
from cloudsync.model.document import Applied
from cloudsync.watch.trigger import Tell, Trigger


class Source(Protocol):
    """The spec: files that are saved, or a branch that is followed."""

    def begin(self, tell: Tell) -> None:
        """Tell from now on when there may be something new, from a thread of its own."""

    def load(self, triggers: Collection[Trigger] = (), /) -> Cloud:
        """What is wanted now, in a round that began for these; called from one thread, never twice at once. SpecError
        with all problems, CloudsyncError for what is refused (a force-push, a bad signature): the running cloud stays
        as it is then."""
        ...

    def seen(self, cloud: Cloud, deployed: Applied | None) -> None:
        """Called with what the hosts know to be deployed, before `cloud` is planned. CloudsyncError when it is not to
        come after that, whatever it would change."""

    def confirm(self, cloud: Cloud, deployed: Applied | None) -> None:
        """Called behind the lock, once the hosts were observed and something is to be done. CloudsyncError when `cloud`
        is not to come after what is deployed: nothing is done then."""

    def end(self) -> None: ...


class Ear(Protocol):
    """Hears of hosts what nobody asked: a guest that crashed, a ruleset that somebody changed."""

    def listen(self, fleet: Fleet, tell: Tell) -> None:
        """Tell from now on. Called again, after `end`, when the spec names other hosts."""

    def end(self) -> None: ...
