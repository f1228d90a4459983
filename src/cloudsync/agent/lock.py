"""The apply lock of this host: held by a connection, and gone with it, however its owner ended. Called by app.py."""

from datetime import UTC, datetime

from cloudsync.model.agent_state import Held
from cloudsync.model.problem import LockedError


class Taken(LockedError):
    """Somebody else holds it."""

    def __init__(self, held: Held) -> None:
        super().__init__(
            f"{held.holder} has been applying here since {held.since}",
            "wait for that apply, or end it: the lock goes with it",
        )
        self.held = held


class ApplyLock:
    """Used on the event loop only, so it needs no lock of its own."""

    def __init__(self) -> None:
        self.held: Held | None = None

    def take(self, who: str) -> Held:
        """Raise Taken when it is held."""
        if self.held is not None:
            raise Taken(self.held)
        self.held = Held(holder=who, since=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        return self.held

    def release(self, held: Held) -> None:
        if self.held is held:
            self.held = None
