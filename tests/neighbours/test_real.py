"""Other programs' firewalls met for real: traffic dies, the agent names whose rules it dies in, and exactly the printed
commands bring it back, while what security groups deny stays denied.

Docker's, ufw's, firewalld's and libvirt's rules are those that the real programs made, loaded again.
"""

import errno
import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudsync.model.checkup import Check, Verdict
from tests.effort import PATIENCE
from tests.firewall.documents import DEFAULT, document, egress, group, ingress, instance
from tests.lab.standins import OUTSIDE, Guest, Lab, Peer
from tests.neighbours.hosting import Hosting, hosting
from tests.neighbours.recorded import FOLDER, text

pytestmark = pytest.mark.real

SILENCE = 2.0
"""Seconds: an answer comes within a thousandth of it."""
DOCUMENT = document(
    [instance("a", "10.20.0.11"), instance("web", "10.20.0.13", ("web",))],
    [DEFAULT, group("web", ingress("any", "tcp", (80, 80)), egress())],
)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Hosting]:
    with hosting(DOCUMENT, tmp_path) as made:
        yield made


def passing(*wanted: tuple[Peer, str, int]) -> list[bool]:
    """Which connections are answered, by a reset too; a foreign drop is silence, a foreign reject an ICMP error."""
    clients = [source.namespace.socket(socket.SOCK_STREAM) for source, _, _ in wanted]
    try:
        for client, (_, address, port) in zip(clients, wanted, strict=True):
            client.setblocking(False)
            client.connect_ex((address, port))
        deadline = time.monotonic() + SILENCE
        waiting = list(clients)
        # Also when it is late, they are looked at once more: who was not looked at is not silent.
        while waiting and (done := select.select([], waiting, [], max(0.0, deadline - time.monotonic()))[1]):
            waiting = [client for client in waiting if client not in done]
        codes = [client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for client in clients]
        return [
            client not in waiting and code in (0, errno.ECONNREFUSED)
            for client, code in zip(clients, codes, strict=True)
        ]
    finally:
        for client in clients:
            client.close()


def all_three(lab: Lab) -> dict[str, bool]:
    a, web = lab.guests["a"], lab.guests["web"]
    found = passing((a, OUTSIDE, 80), (lab.outside, web.address, 80), (a, web.address, 80))
    return dict(zip(("out", "in", "across"), found, strict=True))


ALL, NONE = dict.fromkeys(("out", "in", "across"), True), dict.fromkeys(("out", "in", "across"), False)


def denials_hold(lab: Lab) -> bool:
    """By our own drop, which counts."""
    a, web = lab.guests["a"], lab.guests["web"]
    return not any([lab.reaches(lab.outside, a, 80), lab.reaches(a, web, 81), lab.reaches(lab.outside, web, 443)])


def others(host: Hosting) -> list[Check]:
    """What `doctor` says of other firewalls there."""
    return [check for check in host.agent.checkup().checks if check.name == "other firewalls"]


def restored(tool: str, name: str) -> Callable[[Hosting], object]:
    return lambda host: host.lab.host.run(f"{tool}-restore", stdin=text(name))


def own_chain(host: Hosting) -> None:
    """A table of the machine's owner, at the priority and with the ending that firewalld has too."""
    host.lab.nft(
        "table inet mine { chain through { type filter hook forward priority 10; policy accept;\n"
        "ct state established,related accept\niifname docker0 accept\nreject with icmpx admin-prohibited\n}\n}"
    )


def forward_drop(tool: str) -> Callable[[Hosting], object]:
    return lambda host: host.lab.host.run(tool, "-P", "FORWARD", "DROP")


@pytest.mark.parametrize(
    ("put", "owner", "tool"),
    [
        (restored("iptables-nft", "docker-20.10.iptables-nft"), "Docker", "iptables-nft -I DOCKER-USER"),
        (restored("iptables-legacy", "docker-20.10.iptables-nft"), "Docker", "iptables-legacy -I DOCKER-USER"),
        (forward_drop("iptables-nft"), "iptables", "iptables-nft -I FORWARD"),
        (forward_drop("iptables-legacy"), "iptables", "iptables-legacy -I FORWARD"),
        (own_chain, "nftables", "nft insert rule inet mine through"),
    ],
    ids=["docker-nft", "docker-legacy", "iptables-nft", "iptables-legacy", "own-table"],
)
def test_the_printed_fix_lets_traffic_through_again_and_nothing_more(
    host: Hosting, put: Callable[[Hosting], object], owner: str, tool: str
) -> None:
    assert all_three(host.lab) == ALL
    assert host.obstacles() == ()
    put(host)
    assert all_three(host.lab) == NONE
    (obstacle,) = host.obstacles()
    assert obstacle.owner == owner
    assert obstacle.traffic == ("instances → outside", "outside → instances", "instances → instances")
    assert all(line.startswith(tool) for line in obstacle.fix)
    (told,) = others(host)
    assert (told.verdict, told.fix) == (Verdict.PROBLEM, obstacle.fix)
    host.fix(obstacle)
    assert all_three(host.lab) == ALL
    assert denials_hold(host.lab)
    assert [check.verdict for check in others(host)] == [Verdict.OK]
    assert host.obstacles() == ()


def test_who_answers_no_question_for_an_address_is_named_too(host: Hosting) -> None:
    guest = host.lab.guests["a"]
    assert dns(guest)
    host.lab.nft("table arp mine { chain gate { type filter hook input priority 0; policy drop;\n}\n}")
    guest.namespace.run("ip", "neigh", "flush", "all")
    assert not dns(guest)
    (obstacle,) = host.obstacles()
    assert (obstacle.owner, obstacle.traffic) == ("nftables", ("instances' ARP",))
    assert obstacle.fix == ("nft insert rule arp mine gate 'iifname \"cs-*\" accept'",)
    host.fix(obstacle)
    guest.namespace.run("ip", "neigh", "flush", "all")  # it asks no more for a second
    assert dns(guest)
    assert host.obstacles() == ()


def dns(guest: Guest, gateway: str = "10.20.0.1") -> bool:
    """Whether the host's name server answers over TCP."""
    return passing((guest, gateway, 53)) == [True]


@pytest.mark.parametrize("kind", ["nft", "legacy"])
def test_ufw_is_named_and_the_rules_that_its_own_commands_make_are_enough(host: Hosting, kind: str) -> None:
    """Those rules were recorded from ufw after the commands that are printed here."""
    guest = host.lab.guests["a"]
    assert dns(guest)
    restored(f"iptables-{kind}", f"ufw-0.36.iptables-{kind}")(host)
    assert all_three(host.lab) == NONE
    assert not dns(guest)
    (obstacle,) = host.obstacles()
    assert obstacle.owner == "ufw"
    assert obstacle.fix == (
        "ufw prepend allow in on cs-+",
        "ufw route prepend allow in on cs-+",
        "ufw route prepend allow out on cs-+",
    )
    restored(f"iptables-{kind}", "ufw-0.36-fixed.iptables-nft")(host)
    assert all_three(host.lab) == ALL
    assert dns(guest)
    assert denials_hold(host.lab)
    assert [check.verdict for check in others(host)] == [Verdict.OK]


def test_firewalld_is_named_and_the_zone_that_its_own_commands_make_is_enough(host: Hosting) -> None:
    guest = host.lab.guests["a"]
    host.lab.host.run("nft", "-f", str(FOLDER / "firewalld-1.3.nft"))
    assert all_three(host.lab) == NONE
    assert not dns(guest)
    (obstacle,) = host.obstacles()
    assert obstacle.owner == "firewalld"
    assert obstacle.fix[0] == "firewall-cmd --permanent --new-zone=cloudsync"
    host.lab.nft(f"delete table inet firewalld\n{text('firewalld-1.3-fixed.nft')}")
    assert all_three(host.lab) == ALL
    assert dns(guest)
    assert denials_hold(host.lab)
    assert host.obstacles() == ()


def test_libvirts_own_networks_are_nobodys_trouble(host: Hosting) -> None:
    restored("iptables-nft", "libvirt-9.0.iptables-nft")(host)
    host.lab.nft(
        "table ip libvirt_network { chain forward { type filter hook forward priority filter; policy accept;\n"
        'oifname "virbr0" counter reject\n}\n}'
    )
    host.lab.host.run("iptables-legacy", "-A", "FORWARD", "-i", "virbr0", "-j", "REJECT")
    assert all_three(host.lab) == ALL
    assert host.obstacles() == ()
    assert [check.verdict for check in others(host)] == [Verdict.OK]


def test_a_translation_before_ours_is_named_and_undone(host: Hosting) -> None:
    """The first chain that translates a connection decides what it looks like outside."""
    host.lab.nft(
        "table ip mine { chain post { type nat hook postrouting priority 50; policy accept;\n"
        'oifname "up0" snat to 198.51.100.77\n}\n}'
    )
    with host.lab.outside.listen(80) as server:
        server.settimeout(PATIENCE)
        (obstacle,) = host.obstacles()
        assert (obstacle.owner, obstacle.does, obstacle.traffic) == ("nftables", "diverts", ("instances → outside",))
        host.fix(obstacle)
        assert host.obstacles() == ()
        with host.lab.guests["a"].connect(OUTSIDE, 80):
            accepted, seen = server.accept()
            accepted.close()
        assert seen[0] == "198.51.100.1"
