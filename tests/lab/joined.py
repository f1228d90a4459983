"""Several hosts of `standins`, joined by an underlay: one Ethernet, or a router between networks of their own.

    with underlay({"h1": […instances…], "h2": […]}, groups=…) as hosts:
        hosts.apply()                               # every host's document, of the same cloud
        hosts["h1"].guests["a"].connect(…)

Each host's `up0` has `hosts.addresses[NAME]`/24, and its default route leads to `hosts.outside`, which has no route to
any instance: what comes from there without being translated gets no answer.
"""

import json
import select
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from cloudsync.model.document import Entry, HostDocument
from cloudsync.model.resources import Group, Instance
from tests.firewall.documents import DEFAULT, document
from tests.lab import frames
from tests.lab.namespace import Namespace
from tests.lab.standins import PATIENCE, Guest, Lab, Peer

OUTSIDE = "203.0.113.1"


@dataclass
class Hosts:
    """`between` is the switch or the router. `instances` may be changed before `apply`, which puts no guest in."""

    between: Namespace
    outside: Peer
    addresses: dict[str, str]
    instances: dict[str, list[Instance]]
    groups: Sequence[Group]
    fabric: str
    labs: dict[str, Lab] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Lab:
        return self.labs[name]

    def document(self, name: str) -> HostDocument:
        """As the planner would make it."""
        everybody = [(one, host) for host, there in self.instances.items() for one in there]
        made = document(self.instances[name], self.groups, elsewhere=[one for one, host in everybody if host != name])
        directory = {
            one.name: Entry(uuid=one.uuid, host=host, addresses=tuple(nic.address for nic in one.nics))
            for one, host in everybody
        }
        return replace(
            made,
            host=name,
            fabric=self.fabric,
            underlay=self.addresses,
            infra=tuple(sorted(self.addresses.values())),
            directory=directory,
        )

    def apply(self, *names: str) -> None:
        for name in names or self.labs:
            self.labs[name].apply(self.document(name))

    def guest(self, name: str) -> Guest:
        return next(lab.guests[name] for lab in self.labs.values() if name in lab.guests)

    def dropped(self) -> int:
        """Packets, by the tables of all hosts."""
        return sum(lab.dropped() for lab in self.labs.values())

    def reaches(self, source: Peer, target: str, port: int, kind: int = socket.SOCK_STREAM, bound: str = "") -> bool:
        """Whether a first packet to a guest arrives, or one of the hosts counts it as dropped. TCP goes by answers, a
        reset is one too. It is sent from the address `bound`, or from the one that the kernel chooses."""
        before, address = self.dropped(), self.guest(target).address
        with self.guest(target).listen(port, kind) as server, source.namespace.socket(kind) as client:
            client.setblocking(False)
            if bound:
                client.bind((bound, 0))
            if kind == socket.SOCK_STREAM:
                client.connect_ex((address, port))
            else:
                client.sendto(b"?", (address, port))
            ready = ([], [client]) if kind == socket.SOCK_STREAM else ([server], [])
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                if any(select.select(*ready, [], 0.02)[:2]):
                    return True
                if self.dropped() > before:
                    return False
        raise AssertionError("the packet neither arrived nor was it counted as dropped")

    def forged(self, name: str, packet: bytes, device: str = "up0") -> bool:
        """Whether an IPv4 packet with a datagram for port 80 of the guest on a host, put onto that host's cable by
        somebody on the underlay, gets to the guest; else its tables count it as dropped."""
        (guest,) = self.labs[name].guests.values()
        at, peer = (
            json.loads(self.labs[name].host.ip("-j", "link", "show", device))[0][one]
            for one in ("address", "link_index")
        )
        with guest.listen(80, socket.SOCK_DGRAM) as server:
            before = self.dropped()
            self.between.enter(lambda: _put(peer, frames.ethernet(at, "02:00:00:00:00:01", frames.IP4, packet)))
            return self.labs[name].arrived(server, before)

    def drift(self, name: str) -> list[tuple[str, str]]:
        return self.labs[name].drift(self.document(name))


@contextmanager
def underlay(
    instances: Mapping[str, Sequence[Instance]],
    groups: Sequence[Group] = (DEFAULT,),
    fabric: str = "direct",
    routed: bool = False,
    mtu: int = 1500,
) -> Iterator[Hosts]:
    """See the module."""
    between, outside = Namespace.new("between"), Namespace.new("outside")
    addresses = {name: f"198.51.{100 + (at if routed else 0)}.{11 + at}" for at, name in enumerate(instances)}
    plain = {name: list(there) for name, there in instances.items()}
    hosts = Hosts(between, Peer(outside, OUTSIDE), addresses, plain, groups, fabric)
    try:
        between.sysctl("net/ipv4/ip_forward", 1)
        if not routed:
            between.ip("link", "add", "switch", "type", "bridge")
            between.ip("addr", "add", "198.51.100.1/24", "dev", "switch")
            between.ip("link", "set", "switch", "up")
        outside.ip("link", "add", "eth0", "type", "veth", "peer", "name", "out0", "netns", between.name)
        _up(outside, "eth0", f"{OUTSIDE}/24")
        _up(between, "out0", "203.0.113.254/24")
        outside.ip("route", "add", "198.51.0.0/16", "via", "203.0.113.254")
        for at, name in enumerate(instances):
            hosts.labs[name] = _host(hosts, name, f"port{at}", routed, mtu)
            made = hosts.document(name)
            for one in made.instances.values():
                hosts.labs[name].add_guest(one, made.networks)
        yield hosts
    finally:
        for lab in hosts.labs.values():
            lab.dismantle()
        outside.remove()
        between.remove()


def _put(index: int, frame: bytes) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as cable:
        cable.bind((socket.if_indextoname(index), 0))
        cable.send(frame)


def _host(hosts: Hosts, name: str, port: str, routed: bool, mtu: int) -> Lab:
    run = Path(tempfile.mkdtemp(prefix="cst-"))
    run.chmod(0o755)
    lab = Lab(Namespace.new(name), hosts.outside, run, ())
    address = hosts.addresses[name]
    gateway = f"{address.rpartition('.')[0]}.1"
    lab.host.ip("link", "add", "up0", "type", "veth", "peer", "name", port, "netns", hosts.between.name)
    if routed:
        _up(hosts.between, port, f"{gateway}/24", mtu)
    else:
        hosts.between.ip("link", "set", port, "master", "switch", "mtu", str(mtu), "up")
    _up(lab.host, "up0", f"{address}/24", mtu)
    lab.host.ip("route", "add", "default", "via", gateway)
    return lab


def _up(namespace: Namespace, device: str, address: str, mtu: int = 1500) -> None:
    namespace.ip("addr", "add", address, "dev", device)
    namespace.ip("link", "set", device, "mtu", str(mtu), "up")


def routes(lab: Lab) -> dict[str, str]:
    """Where each instance elsewhere is to be found, by the host's own table."""
    listed = json.loads(lab.host.ip("-j", "route", "show", "proto", "197"))
    return {one["dst"]: f"{one['gateway']} {one['dev']}" for one in listed if "gateway" in one}
