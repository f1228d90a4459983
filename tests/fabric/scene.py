"""Three hosts with a guest each, whose groups are about one another, and what is asked of them whatever the fabric."""

import threading

from tests.firewall.documents import egress, group, ingress, instance
from tests.lab.dhcp import resolve
from tests.lab.joined import OUTSIDE, Hosts
from tests.lab.standins import PATIENCE

A, B, C = "10.20.0.11", "10.20.0.12", "10.20.0.13"
GROUPS = (
    group("web", egress(), ingress("group.client", "tcp", (80, 80)), ingress("group.client", "udp", (80, 80))),
    group("client", egress(), ingress("group.web")),
    group("other", egress()),
)
THERE = {
    "h1": [instance("a", A, ("client",))],
    "h2": [instance("b", B, ("web",))],
    "h3": [instance("c", C, ("other",))],
}


def source_seen(hosts: Hosts) -> str:
    """By b, of a connection that a has made to it."""
    with hosts.guest("b").listen(80) as server, hosts.guest("a").connect(B, 80):
        _, (source, _) = server.accept()
        return str(source)


def source_outside(hosts: Hosts) -> str:
    """Of a connection that a has made to somebody outside."""
    with hosts.outside.listen(80) as server, hosts.guest("a").connect(OUTSIDE, 80):
        _, (source, _) = server.accept()
        return str(source)


def resolved(hosts: Hosts, guest: str, name: str) -> set[str]:
    """What a guest's own gateway answers."""
    return resolve(hosts.guest(guest).namespace, "10.20.0.1", name)[1]


def carried(hosts: Hosts, size: int) -> int:
    """How many of the `size` bytes that a sends over a connection get to b."""
    with hosts.guest("b").listen(80) as server, hosts.guest("a").connect(B, 80) as client:
        taken, _ = server.accept()
        with taken:
            taken.settimeout(PATIENCE)
            sender = threading.Thread(target=client.sendall, args=(bytes(size),))
            sender.start()
            found = 0
            while found < size and (some := taken.recv(1 << 16)):
                found += len(some)
            sender.join()
            return found
