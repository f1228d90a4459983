"""What a host's kernel does with a packet, as its rules stand: the agent works it out, `reach --live` shows it."""

from cloudsync.model.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The rule that ended a base chain's run: `verdict` is accept or drop, `packets` None where it does not count.

    `foreign`: it is none that the agent made. `handle` is what the kernel calls it, in the table `inet cloudsync`.
    """

    base: str
    chain: str
    rule: str
    verdict: str
    comment: str = ""
    packets: int | None = None
    foreign: bool = False
    handle: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """`service` was asked about (`tcp/8000-8010`, `any`), by way of one `packet` of it (`tcp/8000`).

    `allowed` is None where a rule could not be understood. `why` is said where no rule decides.
    """

    host: str
    service: str
    packet: str
    allowed: bool | None
    stops: tuple[Stop, ...] = ()
    why: str = ""
