"""Clouds to draw: of a few, of thirty and of a thousand instances, with an ordinary change, and with hostile names."""

from dataclasses import replace

from cloudsync.model.cloud import Cloud, WantedNic
from cloudsync.reach.picture import Picture, View, picture
from cloudsync.reach.wanted import of_cloud
from tests.firewall.documents import DEFAULT, egress, group, ingress
from tests.planner.build import cloud, instance, network

HOSTILE = 'a"]; <script>alert(1)</script> & #35; `evil` __x__ \\ --> b'


def shop(hosts: int, web: int, extra: bool = False) -> Cloud:
    """Web servers before, databases and queues behind; `extra` is what a pull request might add."""
    walls = (
        DEFAULT,
        group("web", ingress("any", "tcp", (80, 80)), ingress("any", "tcp", (443, 443)), egress()),
        group("db", ingress("group.web", "tcp", (5432, 5432)), egress("192.0.2.0/24", "udp", (123, 123))),
        group("admin", ingress("192.0.2.0/24", "tcp", (22, 22)), *([ingress("198.51.100.0/24")] if extra else [])),
        group("queue", *(ingress("group.web", "tcp", (port, port + 9)) for port in range(20_000, 20_000 + 7 * 20, 20))),
        group("lonely"),
    )
    back = (WantedNic(network="back"),)
    both = (WantedNic(network="default"), WantedNic(network="back"))
    made = [
        *(instance(f"web-{n}", base="web", index=n, groups=("admin", "default", "web")) for n in range(1, web + 1)),
        *(instance(f"db-{n}", base="db", index=n, nics=back, groups=("db",)) for n in range(1, 4)),
        *(instance(f"queue-{n}", base="queue", index=n, nics=both, groups=("queue",)) for n in range(1, web // 4 + 2)),
        *([instance("cache", nics=back, groups=("db", "lonely"))] if extra else [instance("old", groups=("default",))]),
    ]
    networks = {"default": network("10.20.0.0/16"), "back": network("10.30.0.0/16", "10.30.0.1", "back")}
    names = [f"kvm-{number}" for number in range(1, hosts + 1)]
    return cloud(*made, hosts=names, networks=networks, groups={one.name: one for one in walls})


def view(found: Cloud) -> View:
    hosts = list(found.hosts)
    homes = {name: hosts[number % len(hosts)] for number, name in enumerate(found.instances)}
    return View(scene=of_cloud(found), groups=found.groups, hosts=hosts, homes=homes)


def still(found: Cloud) -> Picture:
    now = view(found)
    return picture(found.name, now, now)


def change(hosts: int, web: int) -> Picture:
    return picture("shop", view(shop(hosts, web)), view(shop(hosts, web + 2, extra=True)), {"web-1", "db-2"})


def hostile() -> Picture:
    """Names that no spec may have, long ones and wide ones: whoever draws them must not rely on the spec's check."""
    found = still(shop(2, 3))
    names = (HOSTILE, "w" * 300, "\N{CJK UNIFIED IDEOGRAPH-96F2}" * 90, "\u202eevil\u200b\x1b[2J")
    nodes = [
        replace(node, names=(f"instance.{names[at % len(names)]}",) if node.networks else node.names)
        for at, node in enumerate(found.nodes)
    ]
    groups = {name * 40: one for name, one in found.groups.items()} | {HOSTILE: found.groups["web"]}
    return replace(
        found,
        cloud=HOSTILE,
        nodes=tuple(replace(node, groups=(HOSTILE, "g" * 200), groups_before=()) for node in nodes),
        flows=tuple(replace(flow, services=(*flow.services, HOSTILE)) for flow in found.flows),
        groups=groups,
        hosts={HOSTILE: next(iter(found.hosts.values()))},
    )


PICTURES = {
    "few": lambda: still(shop(2, 3)),
    "thirty": lambda: still(shop(3, 20)),
    "thousand": lambda: still(shop(20, 800)),
    "change": lambda: change(3, 20),
    "hostile": hostile,
}
