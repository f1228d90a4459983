"""The apply lock of this host: held by a connection, and gone with it, however its owner ended. Called by app.py.

A line that is cut does not end a connection for a long time, for sshd keeps it open: whoever takes the lock for a while
at a time has it only as long as it says so again.
"""

from collections.abc import Callable
from dataclasses import field
from datetime import UTC, datetime
from secrets import token_hex
from time import monotonic

from cloudsync.model.agent_state import Held
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import HostError, LockedError


class Taken(LockedError):
    """Somebody else holds it."""

    def __init__(self, held: Held) -> None:
        super().__init__(
            f"{held.holder} has been applying here since {held.since}",
            "wait for that apply, or end it: the lock goes with it",
        )
        self.held = held


class Gone(HostError):
    """It is not held by who asks, or not any more."""


@dataclass(slots=True)
class Grip:
    """Somebody's hold on the lock. `lease` is how long it lasts without a word, in seconds; 0 for as long as the
    connection does. `key` is known to its owner alone."""

    held: Held
    lease: float
    until: float
    key: str = field(default_factory=lambda: token_hex(16), repr=False)


class ApplyLock:
    """Used on the event loop only, so it needs no lock of its own. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._grip: Grip | None = None

    @property
    def held(self) -> Held | None:
        """Who has it."""
        return self._grip.held if self._grip else None

    def take(self, who: str, lease: float = 0.0) -> Grip:
        """Raise Taken when it is held."""
        if self._grip is not None:
            raise Taken(self._grip.held)
        held = Held(holder=who, since=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        self._grip = Grip(held, lease, self._clock() + lease)
        return self._grip

    def renew(self, key: str) -> Held:
        """Have it last for another while; raise Gone when `key` does not hold it any more."""
        grip = self._grip
        if grip is None or grip.key != key:
            raise Gone("the apply lock was given up: its owner was silent for too long", "apply again")
        grip.until = self._clock() + grip.lease
        return grip.held

    def left(self, grip: Grip) -> float | None:
        """Seconds that it still lasts, 0 when it is over, None when only the connection ends it."""
        if self._grip is not grip:
            return 0.0
        return max(0.0, grip.until - self._clock()) if grip.lease else None

    def release(self, grip: Grip) -> None:
        if self._grip is grip:
            self._grip = None
