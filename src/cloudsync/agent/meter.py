"""What happens in the agent, told to whoever counts it. This one counts nothing; metrics.py has one that does."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from cloudsync.agent.boots import Boots
from cloudsync.agent.keeper import Moved
from cloudsync.agent.metadata.tally import Counts
from cloudsync.model.document import HostDocument
from cloudsync.model.snapshot import Boot


class Meter:
    """Calls may come from any thread."""

    def document(self, how: str, outcome: str, seconds: float) -> None:
        """One was sent, whole (`put`) or as a change of the last (`patch`): `stored`, `stale` or `refused`."""

    def holds(self, document: HostDocument) -> None:
        """What the host is to be from now on."""

    def restored(self, things: int) -> None:
        """So many things that somebody had changed were put back at once; often none."""

    def booting(self, boot: Boot) -> None:
        """What a guest said of its boot, or that it is about to be started."""

    def forget_others(self, uuids: Collection[str]) -> None:
        """There are no other machines any more."""

    def asked(self, counts: Counts) -> None:
        """How guests were answered since the last time."""


@contextmanager
def metered(meter: Meter, how: str) -> Iterator[None]:
    """A document is taken in within the block, or is not."""
    began, outcome = time.monotonic(), "refused"
    try:
        yield
        outcome = "stored"
    except Moved:
        outcome = "stale"
        raise
    finally:
        meter.document(how, outcome, time.monotonic() - began)


def hearing(boots: Boots, meter: Meter) -> Callable[[Boot], None]:
    """What takes a guest's words for both."""

    def hear(boot: Boot) -> None:
        boots.record(boot)
        meter.booting(boot)

    return hear
