"""What a host is asked about its kernel's rules: packets from one address to another."""

from cloudsync.model.dataclass import dataclass
from cloudsync.reach.service import Service


@dataclass(frozen=True, slots=True)
class Question:
    """By each of these services; by all that the host's rules mention when there are none."""

    source: str
    target: str
    services: tuple[Service, ...] = ()
