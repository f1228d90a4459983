"""Raw frames into a lab, and all that comes out of it, in an order that decides instead of a clock.

    with wired(lab) as wire:
        wire.send("a", frame)                      # from guest a's eth0; "outside" is a place too
        for place, frame in wire.settle(): …       # all that arrived anywhere since the last call, and nothing later

The sending thread keeps to one CPU. A frame that crosses a veth waits in that CPU's one queue, so when a frame that was
sent last has come through, all that were sent before have been let through or dropped. `settle` sends one to the host,
and, as what the host passes on queues up behind that one, a second.

Guests here are silent: they have no address, answer nothing, and the host knows their MACs (`hush`).
"""

import json
import os
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from cloudsync.model.document import HostDocument
from tests.lab import frames
from tests.lab.standins import HOST, OUTSIDE, PATIENCE, Lab

_ALL, _IGNORE_OUTGOING, _SOL_PACKET, _RCVBUFFORCE = 0x0003, 23, 263, 33
_MARKER_PORT = 9
HOST_RAW = (frames.ICMP, frames.IPIP, frames.TCP, frames.UDP, frames.IP6_IN_IP4, frames.GRE, frames.SCTP)
HOST_RAW6 = (frames.ICMP6, frames.UDP, frames.TCP)


@dataclass
class Wire:
    """`places` maps each place to its socket; packets that reached the host itself come as from place "host"."""

    lab: Lab
    places: dict[str, socket.socket] = field(default_factory=dict)
    host: list[socket.socket] = field(default_factory=list)
    macs: dict[str, str] = field(default_factory=dict)
    _marker: socket.socket | None = None
    _count: int = 0

    def send(self, place: str, frame: bytes) -> None:
        self.places[place].send(frame)

    def to_host(self, place: str, packet: bytes, source: str | None = None, kind: int = frames.IP4) -> bytes:
        """`packet` in a frame from `place` (or another MAC) to the host's end of its cable."""
        return frames.ethernet(self.macs[f"host of {place}"], source or self.macs[place], kind, packet)

    def settle(self) -> list[tuple[str, bytes]]:
        for _ in range(2):
            self._mark()
        found = [(place, data) for place, one in self.places.items() for data in _drained(one)]
        return found + [("host", data) for one in self.host for data in _drained(one)]

    def _mark(self) -> None:
        self._count += 1
        word = f"marker {self._count}".encode()
        self.send("outside", self.to_host("outside", frames.udp4(OUTSIDE, HOST, (9, _MARKER_PORT), word)))
        assert self._marker
        while (readable := select.select([self._marker], [], [], PATIENCE)[0]) and self._marker.recv(100) != word:
            pass
        assert readable, "the marker did not arrive"


def _drained(one: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            yield one.recv(65536)
        except BlockingIOError:
            return


@contextmanager
def wired(lab: Lab) -> Iterator[Wire]:
    """See the module. The lab's guests are those that it has now."""
    allowed = os.sched_getaffinity(0)
    with ExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, allowed)
        os.sched_setaffinity(0, {sorted(allowed)[os.getpid() % len(allowed)]})
        wire = Wire(lab)
        peers = {**lab.guests, "outside": lab.outside}
        for place, peer in peers.items():
            one = peer.namespace.socket(socket.SOCK_RAW, socket.AF_PACKET, socket.htons(_ALL))
            wire.places[place] = stack.enter_context(one)
            one.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
            one.bind(("eth0", _ALL))
        for family, protocols in ((socket.AF_INET, HOST_RAW), (socket.AF_INET6, HOST_RAW6)):
            for protocol in protocols:
                one = lab.host.socket(socket.SOCK_RAW, family, protocol)
                wire.host.append(stack.enter_context(one))
        wire._marker = stack.enter_context(lab.host.socket(socket.SOCK_DGRAM))
        wire._marker.bind((HOST, _MARKER_PORT))
        for one in (*wire.places.values(), *wire.host):
            one.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 16 << 20)
            one.setblocking(False)
        wire.macs = hush(lab)
        yield wire


def put_up(lab: Lab, document: HostDocument) -> None:
    """Apply all but DHCP and DNS: nothing of the host speaks to guests by itself."""
    for part in ("guards", "firewall", "links", "floating"):
        lab.apply(document, only=part)


def hush(lab: Lab) -> dict[str, str]:
    """MACs of all places, and under "host of PLACE" the host's towards them; nobody has to ask for one any more."""
    devices = {one["ifname"]: one["address"] for one in json.loads(lab.host.ip("-j", "link"))}
    macs = {"outside": _mac(lab.outside.namespace.ip("-j", "link", "show", "eth0")), "host of outside": devices["up0"]}
    lab.host.ip("neigh", "replace", OUTSIDE, "lladdr", macs["outside"], "dev", "up0", "nud", "permanent")
    for name, guest in lab.guests.items():
        macs |= {name: guest.nic.mac, f"host of {name}": devices[guest.nic.tap]}
        neighbour = (guest.address, "lladdr", guest.nic.mac, "dev", guest.nic.tap)
        lab.host.ip("neigh", "replace", *neighbour, "nud", "permanent")
    return macs


def _mac(listing: str) -> str:
    return str(json.loads(listing)[0]["address"])
