"""Who is there when guests lie: `a` sends whatever it likes, to everybody else. Its rules and b's permit everything."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from tests.firewall.documents import document, egress, group, ingress, instance
from tests.lab import frames
from tests.lab.standins import Lab, standins
from tests.lab.wire import Wire, put_up, wired

A, B, C, GATEWAY = "10.20.0.11", "10.20.0.12", "10.20.0.13", "10.20.0.1"
FAR = "192.0.2.7"
"""Somebody beyond `outside`."""
METADATA = "169.254.169.254"
DOCUMENT = document(
    [instance("a", A, ("open",)), instance("b", B, ("open",)), instance("c", C, ("web",))],
    [group("open", egress(), ingress()), group("web", ingress("any", "tcp", (80, 80)))],
)
Sent = list[tuple[str, bytes]]
"""Frames with the places they leave from."""


@dataclass(frozen=True)
class Spoof:
    """`counter` is the chain of ours that counts it; the kernel's own counter where it reaches no chain; "" where even
    the kernel drops it in silence. `times` says how often.

    `bare` says whether it arrives somewhere on a host that forwards without our tables: where it does not, the kernel
    itself stops it too.
    """

    name: str
    sent: "Callable[[Scene], Sent]"
    counter: str
    bare: bool = True
    times: int = 1


@dataclass
class Scene:
    """`token` is what payloads hold, so that a packet is known wherever it turns up."""

    lab: Lab
    wire: Wire
    token: bytes = b""
    _last: dict[str, int] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=partial(count, 1))

    def renew(self) -> None:
        """The next packets are others, so that nothing before is taken for them."""
        self.token = f"<{next(self._numbers):06d}>".encode()

    @property
    def port(self) -> int:
        """A source port that belongs to this token alone."""
        return 20000 + int(self.token[1:-1])

    def framed(
        self,
        packet: bytes,
        kind: int = frames.IP4,
        source: str = "a",
        target: str = "host of a",
        tags: Sequence[tuple[int, int]] = (),
    ) -> Sent:
        """From a's cable; `source` and `target` are MACs, or places that have one."""
        known = self.wire.macs
        return [("a", frames.ethernet(known.get(target, target), known.get(source, source), kind, packet, tags))]

    def from_(self, place: str, packet: bytes) -> Sent:
        """An honest frame."""
        return [(place, self.wire.to_host(place, packet))]

    def send(self, sent: Sent) -> None:
        for place, frame in sent:
            self.wire.send(place, frame)

    def arrivals(self) -> dict[str, int]:
        """How often what was sent turned up where; `a` itself is left out: that is where it came from."""
        found: dict[str, int] = {}
        for place, data in self.wire.settle():
            if place != "a" and self.token in data:
                found[place] = found.get(place, 0) + 1
        if forged := self._neighbours():
            found["neighbours"] = forged
        return found

    def _neighbours(self) -> int:
        """Whom the host now believes to be behind a's cable, apart from a; they are forgotten again."""
        tap = self.lab.guests["a"].nic.tap
        found = [line for line in self.lab.host.ip("neigh", "show", "dev", tap).splitlines() if "PERMANENT" not in line]
        self.lab.host.ip("neigh", "flush", "dev", tap)
        return len(found)

    def moved(self) -> dict[str, int]:
        """What was counted since the last call: by our chains, and by the kernel as dropped before them."""
        last, self._last = self._last, {}
        for one in self.lab.counters():
            if one.get("drops", True):
                self._last[one["chain"]] = self._last.get(one["chain"], 0) + int(one["packets"])
        self._last |= {f"kernel {name}": number for name, number in self._kernel().items()}
        return {name: gone for name, number in self._last.items() if (gone := number - last.get(name, 0))}

    def _kernel(self) -> dict[str, int]:
        """Frames for others and of unknown kinds on the cable of a, and datagrams that could not be put together."""
        shown = self.lab.host.ip("-s", "-s", "-j", "link", "show", self.lab.guests["a"].nic.tap)
        cable = json.loads(shown)[0]["stats64"]["rx"]
        names, values = self.lab.host.enter(_ip_counters)
        reassembly = dict(zip(names, values, strict=True))["ReasmFails"]
        return {"otherhost": cable.get("otherhost", 0), "dropped": cable["dropped"], "ReasmFails": int(reassembly)}


def _ip_counters() -> list[list[str]]:
    lines = Path("/proc/thread-self/net/snmp").read_text().splitlines()
    return [line.split() for line in lines if line.startswith("Ip:")]


LAX = {
    "ipv6/conf/all/disable_ipv6": 0,
    "ipv6/conf/all/accept_dad": 0,
    "ipv6/conf/default/accept_dad": 0,
    "ipv6/conf/all/accept_ra": 2,
    "ipv4/conf/all/accept_source_route": 1,
    "ipv4/conf/all/route_localnet": 1,
    "ipv4/conf/all/arp_accept": 1,
    "ipv4/conf/all/accept_local": 1,
    "ipv4/conf/all/accept_redirects": 1,
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/ipfrag_time": 3600,
}
"""A host whose kernel stops as little as one can ask of it, and gives up no datagram while we look."""


@contextmanager
def staged(protected: bool) -> Iterator[Scene]:
    """With our tables and settings, or on a host that merely forwards."""
    with standins(DOCUMENT, addressed=False) as lab:
        for name, value in LAX.items():
            lab.host.sysctl(f"net/{name}", value)
        if protected:
            put_up(lab, DOCUMENT)
        else:
            lab.host.sysctl("net/ipv4/ip_forward", 1)
        with wired(lab) as wire:
            yield Scene(lab, wire)
