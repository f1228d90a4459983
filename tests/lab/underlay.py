"""What joins the hosts of a lab: `flat`, one wire (a bridge), or `routed`, each behind a router on a subnet of its own.

Both lie in one namespace. On it are the hosts, a machine `outside`, where their default routes lead, and one link to
the machine that the lab is on, which gets a route to each host and to nothing else.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from subprocess import CalledProcessError

from tests.lab.namespace import Namespace, ip

KINDS = ("flat", "routed")
MOST = 40
"""Hosts; their addresses end in .11, .12, …"""
BRIDGE = "wire"


@dataclass(frozen=True, slots=True)
class Seat:
    """One machine's place: `router` is who stands at the other end of its link in `wire`, empty for a bridge."""

    name: str
    address: str
    prefix: int
    gateway: str
    wire: str
    router: str = ""

    @property
    def mac(self) -> str:
        """The same at every boot, as a card's is: the others remember it."""
        return "02:00:" + ip_address(self.address).packed.hex(":")

    def plug(self, ip: Callable[..., str], device: str) -> None:
        """Lay the link from the namespace that `ip` works in; a former one is drawn out."""
        self.unplug()
        ip("link", "add", device, "address", self.mac, "type", "veth", "peer", "name", self.name, "netns", self.wire)
        wire = Namespace(self.wire)
        if self.router:
            wire.ip("address", "add", f"{self.router}/{self.prefix}", "dev", self.name)
        else:
            wire.ip("link", "set", self.name, "master", BRIDGE)
        wire.ip("link", "set", self.name, "up")

    def unplug(self) -> None:
        """Both ends go, at once."""
        with suppress(CalledProcessError):
            Namespace(self.wire).ip("link", "del", self.name)

    def connect(self, ip: Callable[..., str], device: str) -> None:
        ip("address", "add", f"{self.address}/{self.prefix}", "dev", device)
        ip("link", "set", device, "up")
        if self.gateway:
            ip("route", "add", "default", "via", self.gateway)


class Underlay:
    def __init__(self, kind: str, count: int) -> None:
        assert kind in KINDS, f"an underlay is one of {', '.join(KINDS)}, not {kind}"
        assert 1 <= count <= MOST, f"a lab has 1 to {MOST} hosts, not {count}"
        self.kind = kind
        self.wire = Namespace(f"cslab-{kind}")
        self.outside = Namespace(f"cslab-{kind}-out")
        self.link = f"cslab-{kind}"
        self.hosts = [self._seat(f"h{number}", number) for number in range(1, count + 1)]

    def _seat(self, name: str, number: int) -> Seat:
        if self.kind == "flat":
            return Seat(name, f"198.51.100.{10 + number}", 24, "198.51.100.2", self.wire.name)
        router = f"198.18.{number}.1"
        return Seat(name, f"198.18.{number}.11", 24, router, self.wire.name, router)

    @property
    def controller(self) -> Seat:
        """A /32: the machine may have the rest of the subnet elsewhere, or use its own default route for it."""
        if self.kind == "flat":
            return Seat("controller", "198.51.100.10", 32, "", self.wire.name)
        return Seat("controller", "198.18.254.11", 32, "", self.wire.name, "198.18.254.1")

    def lay(self) -> None:
        remove(self.kind)
        Namespace.named(self.wire.name)
        Namespace.named(self.outside.name)
        if self.kind == "flat":
            self.wire.ip("link", "add", BRIDGE, "type", "bridge")
            self.wire.ip("link", "set", BRIDGE, "up")
        else:
            self.wire.sysctl("net/ipv4/ip_forward", 1)
        self._stand_outside()
        self._lead_here()

    def _stand_outside(self) -> None:
        seat = self._seat("outside", 0)
        if self.kind == "flat":
            seat = Seat("outside", "198.51.100.2", 24, "", self.wire.name)
        seat.plug(self.outside.ip, "eth0")
        seat.connect(self.outside.ip, "eth0")
        if self.kind == "routed":
            self.wire.ip("route", "add", "default", "via", seat.address)

    def _lead_here(self) -> None:
        seat = self.controller
        seat.plug(ip, self.link)
        seat.connect(ip, self.link)
        if seat.router:
            self.wire.ip("route", "add", f"{seat.address}/32", "dev", seat.name)
            ip("route", "add", f"{seat.router}/32", "dev", self.link)
        for host in self.hosts:
            way = ("via", seat.router) if seat.router else ()
            ip("route", "add", f"{host.address}/32", *way, "dev", self.link, "src", seat.address)


def remove(kind: str) -> None:
    """What an underlay of this kind has made; the hosts' links end with it."""
    with suppress(CalledProcessError):
        ip("link", "del", f"cslab-{kind}")
    for name in (f"cslab-{kind}", f"cslab-{kind}-out"):
        Namespace(name).remove()
