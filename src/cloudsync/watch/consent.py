"""What a person agreed to of what waits. rounds.py asks, the keys of a terminal say so."""

from collections.abc import Iterable
from enum import StrEnum

from cloudsync.model.plan import Change
from cloudsync.watch.trigger import Reason, Trigger


class Consent(StrEnum):
    """The detail of a trigger for approval. Losing data is agreed to apart."""

    NONE = "none"
    KEEPING_DATA = "all that keeps data"
    ALL = "all, and what destroys data"

    @classmethod
    def of(cls, triggers: Iterable[Trigger]) -> "Consent":
        said = {one.detail for one in triggers if one.reason is Reason.APPROVAL}
        return cls.ALL if cls.ALL in said else cls.KEEPING_DATA if said else cls.NONE

    @property
    def trigger(self) -> Trigger:
        return Trigger(Reason.APPROVAL, self.value)

    def covers(self, change: Change) -> bool:
        return self is Consent.ALL or (self is Consent.KEEPING_DATA and not change.destroys_data)
