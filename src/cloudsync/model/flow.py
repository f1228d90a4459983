"""A connection that a host's kernel tracks, as it goes from one host to another with the machine at its end."""

from cloudsync.model.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """`protocol` is TCP's or UDP's number. The reply's ends are those after translation; `ports` are source and target
    of the first direction, `reply_ports` of the answer."""

    protocol: int
    source: str
    target: str
    ports: tuple[int, int]
    reply_source: str
    reply_target: str
    reply_ports: tuple[int, int]
