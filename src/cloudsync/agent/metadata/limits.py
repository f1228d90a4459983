"""How much of the service one guest may use, so that a hostile one cannot starve the others."""

from cloudsync.model.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bytes, seconds, or a count. `rate` is requests and connections a second from one source, `burst` how many at
    once. `unsent` is what a client has not read.

    A boot makes about a hundred requests, one after the other, and about sixty reports.
    """

    connections: int = 32
    rate: float = 250.0
    burst: int = 500
    pipelined: int = 16
    path: int = 4 << 10
    header: int = 16 << 10
    body: int = 64 << 10
    unsent: int = 256 << 10
    request_seconds: float = 10.0
    idle_seconds: float = 30.0
