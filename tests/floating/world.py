"""Two networks, one of them without NAT, guests with and without floating addresses, and what each end sees."""

import select
import time
from dataclasses import replace

from cloudsync.model.document import HostDocument
from cloudsync.model.resources import Instance, Network
from tests.firewall.documents import DEFAULT, NETWORK, document, egress, group, ingress, instance
from tests.lab.standins import OUTSIDE, PATIENCE, Lab, Peer

FIRST, SECOND, THIRD = "198.51.100.50", "198.51.100.51", "198.51.100.52"
OTHER_OUTSIDE = "198.51.100.3"
BARE = Network(name="bare", subnet="10.30.0.0/24", gateway="10.30.0.1", nat=False, domain="bare.internal")
GROUPS = [
    DEFAULT,
    group("web", egress(), ingress("any", "tcp", (80, 80)), ingress("any", "udp", (80, 80))),
    group("near", ingress(f"{OUTSIDE}/32", "tcp", (81, 81)), ingress("group.default", "tcp", (82, 82))),
    group("shut", egress()),
]
BOTH = ("default", "web", "near")


def floating(one: Instance, address: str | None) -> Instance:
    return replace(one, nics=(replace(one.nics[0], floating=address),))


A = instance("a", "10.20.0.11", BOTH)
B = instance("b", "10.20.0.12", BOTH)
PLAIN = instance("plain", "10.20.0.13", BOTH)
SHUT = floating(instance("shut", "10.20.0.14", ("shut",)), THIRD)
FREE = instance("free", "10.30.0.11", BOTH, network="bare")


def world(a: str | None = FIRST, b: str | None = SECOND, free: str | None = None) -> HostDocument:
    """Who has which floating address."""
    guests = [floating(A, a), floating(B, b), PLAIN, SHUT, floating(FREE, free)]
    return document(guests, GROUPS, [NETWORK, BARE])


def seen(source: Peer, server: Peer, address: str, port: int, own: str = "") -> str:
    """The address that `server` sees when `source` (from its address `own`) connects to `address`."""
    with server.listen(port) as listening:
        with source.namespace.socket() as client:
            client.settimeout(PATIENCE)
            if own:
                client.bind((own, 0))
            client.connect((address, port))
            accepted, peer = listening.accept()
            with accepted:
                accepted.sendall(b"x")
                assert client.recv(1) == b"x"
        return str(peer[0])


def denied(lab: Lab, own: str, address: str, port: int) -> bool:
    """Whether a first packet from outside, from its address `own`, is counted as dropped."""
    before, deadline = lab.dropped(), time.monotonic() + PATIENCE
    with lab.outside.namespace.socket() as client:
        client.bind((own, 0))
        client.setblocking(False)
        client.connect_ex((address, port))
        while lab.dropped() == before:
            if select.select([], [client], [], 0.02)[1] or time.monotonic() > deadline:
                return False
    return True


def mac(lab: Lab, device: str = "up0") -> bytes:
    text = lab.host.run("cat", f"/sys/class/net/{device}/address").stdout.strip()
    return bytes.fromhex(text.replace(":", ""))
