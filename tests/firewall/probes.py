"""Connections in raw packets: how each protocol opens, is answered, and goes on, with a word in every packet.

What decides is what connection tracking makes of them: which packets open something, and which only go on with it.
"""

import struct
from dataclasses import dataclass

from tests.firewall.worlds import ELSEWHERE, HERE, NATTED, STRANGERS
from tests.lab import frames
from tests.lab.frames import ACK, GRE, ICMP, PSH, SCTP, SYN, TCP, UDP, Packet
from tests.lab.standins import HOST

WITH_PORTS = (TCP, UDP, SCTP)
WITHOUT = (2, 4, GRE, 50, 51, 89, 253, 255)
QUERIES = {8: 0, 13: 14, 15: 16, 17: 18}
"""ICMP that asks, with what answers it. No other type begins anything: it reports, or is part of what has begun."""
REVIVES = (UDP, *WITHOUT)
"""Protocols whose every packet may open a connection, the other way round too."""
ADDRESSES = {name: address for name, (_, address) in (HERE | ELSEWHERE).items()} | {one: one for one in STRANGERS}
"""Of every end: guests here, instances on the other host, strangers."""


def place(end: str) -> str:
    """Where it is in the lab: everything that is no guest here is beyond the uplink."""
    return end if end in HERE else "outside"


@dataclass(frozen=True)
class Probe:
    """`port` is the target's."""

    source: str
    target: str
    protocol: int
    port: int | None = None
    icmp: tuple[int, int] | None = None

    def __str__(self) -> str:
        what = {TCP: "tcp", UDP: "udp", SCTP: "sctp", ICMP: "icmp"}.get(self.protocol)
        detail = f"/{self.port}" if self.port else f"/{self.icmp[0]}.{self.icmp[1]}" if self.icmp else ""
        return f"{what or self.protocol}{detail} from {self.source} to {self.target}"

    @property
    def begins(self) -> bool:
        return self.icmp is None or self.icmp[0] in QUERIES

    @property
    def natted(self) -> bool:
        """Seen under the host's address where it arrives."""
        return self.source in HERE and HERE[self.source][0] == NATTED and self.target in STRANGERS

    @property
    def seen_as(self) -> str:
        return HOST if self.natted else ADDRESSES[self.source]

    @property
    def flows(self) -> frozenset[object]:
        """What the kernel knows it by, before and after translation and either way, without a port of its own."""
        if self.protocol in WITH_PORTS or self.icmp:
            return frozenset()
        there, back = (self, self.turned(None))
        ends = [(ADDRESSES[one.source], ADDRESSES[one.target]) for one in (there, back)]
        ends += [(one.seen_as, ADDRESSES[one.target]) for one in (there, back)]
        return frozenset((self.protocol, frozenset(pair)) for pair in ends)

    def turned(self, port: int | None) -> "Probe":
        """The same the other way, as if it began there."""
        return Probe(self.target, self.source, self.protocol, port)


@dataclass
class Talk:
    """A probe under way. `number` is its own: source port, identifier, verification tag. `seen` is how it arrived."""

    probe: Probe
    number: int
    seen: Packet | None = None
    _ahead: int = 1001
    _behind: int = 5001
    _steps: int = 0

    @property
    def port(self) -> int:
        """The source's."""
        return 10000 + self.number % 50000

    def opening(self, word: bytes) -> bytes:
        if self.probe.protocol == TCP:
            self._ahead += len(word)
            return self._forth(self._tcp(word, SYN, (1000, 0)))
        if self.probe.protocol == SCTP:
            return self._forth(self._sctp(0, frames.INIT, frames.sctp_init(self.number, word)))
        return self._forth(self._plain(word))

    def more(self, word: bytes) -> bytes:
        """What goes on after the answer."""
        self._steps += 1
        if self.probe.protocol == TCP:
            numbers, self._ahead = (self._ahead, self._behind), self._ahead + len(word)
            return self._forth(self._tcp(word, ACK | PSH, numbers))
        if self.probe.protocol == SCTP:
            chunk = frames.COOKIE_ECHO if self._steps == 1 else frames.DATA
            return self._forth(self._sctp(self.number + 1, chunk, bytes(12) + word))
        return self._forth(self._plain(word))

    def answer(self, word: bytes) -> bytes:
        if self.probe.protocol == TCP:
            numbers, self._behind = (5000, self._ahead), self._behind + len(word)
            return self._back(self._tcp(word, SYN | ACK, numbers, back=True))
        if self.probe.protocol == SCTP:
            return self._back(
                self._sctp(self.number, frames.INIT_ACK, frames.sctp_init(self.number + 1, word), back=True)
            )
        return self._back(self._plain(word, back=True))

    def answer_more(self, word: bytes) -> bytes:
        if self.probe.protocol == TCP:
            numbers, self._behind = (self._behind, self._ahead), self._behind + len(word)
            return self._back(self._tcp(word, ACK | PSH, numbers, back=True))
        if self.probe.protocol == SCTP:
            chunk = frames.COOKIE_ACK if self._steps == 1 else frames.DATA
            return self._back(self._sctp(self.number, chunk, bytes(12) + word, back=True))
        return self._back(self._plain(word, back=True))

    def complaint(self, word: bytes) -> bytes:
        """The target says that nobody listens there, about the packet as it saw it."""
        assert self.seen
        quoted = frames.ip4(self.seen.source, self.seen.target, self.probe.protocol, self.seen.body)
        source, target = self._ends(back=True)
        return frames.ip4(source, target, ICMP, frames.icmp(3, 3, 0, quoted + word))

    def _ends(self, back: bool) -> tuple[str, str]:
        source, target = ADDRESSES[self.probe.source], ADDRESSES[self.probe.target]
        return (target, self.seen.source if self.seen else source) if back else (source, target)

    def _ports(self, back: bool) -> tuple[int, int]:
        assert self.probe.port
        there = self.seen.ports[0] if self.seen else self.port
        return (self.probe.port, there) if back else (self.port, self.probe.port)

    def _forth(self, body: bytes) -> bytes:
        return frames.ip4(*self._ends(back=False), self.probe.protocol, body)

    def _back(self, body: bytes) -> bytes:
        return frames.ip4(*self._ends(back=True), self.probe.protocol, body)

    def _tcp(self, word: bytes, flags: int, numbers: tuple[int, int], back: bool = False) -> bytes:
        return frames.tcp(*self._ends(back), self._ports(back), word, flags, numbers)

    def _sctp(self, tag: int, chunk: int, body: bytes, back: bool = False) -> bytes:
        return frames.sctp(self._ports(back), tag, chunk, body)

    def _plain(self, word: bytes, back: bool = False) -> bytes:
        """Protocols in which a packet is like any other."""
        if self.probe.protocol == UDP:
            return frames.udp(*self._ends(back), self._ports(back), word)
        if self.probe.icmp:
            kind, code = self.probe.icmp
            number = int(struct.unpack_from("!H", self.seen.body, 4)[0]) if back and self.seen else self.number & 0xFFFF
            return frames.icmp(QUERIES.get(kind, kind) if back else kind, code, number << 16 | self._steps, word)
        return (b"\0\0\x08\0" if self.probe.protocol == GRE else b"") + word
