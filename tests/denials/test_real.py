"""Denied packets for real: between stand-in guests, through the kernel's log and the agent's socket to who asks."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudsync.model.denial import Denial
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Direction
from tests.effort import PATIENCE
from tests.firewall.documents import DEFAULT, document, egress, group, ingress, instance
from tests.lab.standins import OUTSIDE, Lab
from tests.neighbours.hosting import Hosting, hosting

pytestmark = pytest.mark.real

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
IN, OUT = Direction.INGRESS, Direction.EGRESS
DOCUMENT = document(
    [
        instance("a", "10.20.0.11"),
        instance("web", "10.20.0.13", ("web",)),
        instance("both", "10.20.0.14", ("default", "web")),
        instance("pinged", "10.20.0.15", ("web",)),
        instance("followed", "10.20.0.16", ("web",)),
        instance("flooded", "10.20.0.17", ("web",)),
    ],
    [DEFAULT, group("web", ingress("any", "tcp", (80, 80)), egress("198.51.100.0/24", "tcp"), log_denied=True)],
)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosting]:
    """Each test has an instance of its own there."""
    with hosting(DOCUMENT, tmp_path_factory.mktemp("host")) as made:
        yield made


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[Hosting]:
    """A host that one test alone has."""
    with hosting(DOCUMENT, tmp_path) as made:
        yield made


def uuid(name: str) -> str:
    return DOCUMENT.instances[name].uuid


class Following:
    """What the agent tells of one instance's denials, one after the other."""

    def __init__(self, host: Hosting, name: str) -> None:
        self.told: list[Denial] = []
        self._more = threading.Semaphore(0)
        self._agent, self._uuid = host.agent, uuid(name)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        try:
            self._agent.follow_denied(self._uuid, self._seen)
        except HostError:
            self._more.release()

    def _seen(self, denial: Denial) -> None:
        self.told.append(denial)
        self._more.release()

    def wait(self) -> Denial:
        assert self._more.acquire(timeout=PATIENCE)
        return self.told[-1]


def denied(lab: Lab, source: str | None, target: str, port: int, kind: int) -> None:
    sender = lab.guests[source] if source else lab.outside
    receiver = lab.guests.get(target, lab.outside)
    assert not lab.reaches(sender, receiver, port, kind)


def remembered(host: Hosting, name: str, number: int) -> tuple[Denial, ...]:
    """Once there are so many; the kernel sends them within a fifth of a second."""
    deadline = time.monotonic() + PATIENCE
    while len(found := host.agent.denied(uuid(name))) < number and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_each_denial_is_told_with_side_ends_and_groups(host: Hosting) -> None:
    lab = host.lab
    denied(lab, "a", "web", 81, TCP)
    denied(lab, None, "web", 53, UDP)
    denied(lab, "web", "outside", 53, UDP)
    entered, asked, left = remembered(host, "web", 3)
    assert (entered.side, entered.protocol, entered.target_port) == (IN, "tcp", 81)
    assert (entered.source, entered.target, entered.groups) == ("10.20.0.11", "10.20.0.13", ("web",))
    assert (asked.side, asked.protocol, asked.source, asked.target_port) == (IN, "udp", OUTSIDE, 53)
    assert (left.side, left.source, left.target, left.target_port) == (OUT, "10.20.0.13", OUTSIDE, 53)
    assert entered.source_port and entered.last >= entered.first > "2020"


def test_what_both_groups_allow_between_them_is_not_told(host: Hosting) -> None:
    lab = host.lab
    assert lab.reaches(lab.outside, lab.guests["both"], 80)
    assert lab.reaches(lab.guests["a"], lab.guests["both"], 9, UDP)
    denied(lab, None, "both", 22, TCP)
    (one,) = remembered(host, "both", 1)
    assert (one.target_port, one.groups) == (22, ("default", "web"))


def test_ping_is_told_by_type_and_code(host: Hosting) -> None:
    lab = host.lab
    with lab.outside.namespace.socket(socket.SOCK_RAW, protocol=socket.IPPROTO_ICMP) as client:
        client.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FE - 7, 1, 7), ("10.20.0.15", 0))
    (one,) = remembered(host, "pinged", 1)
    assert (one.protocol, one.icmp, one.target_port) == ("icmp", (8, 0), None)


def test_whoever_follows_hears_at_once(host: Hosting) -> None:
    following = Following(host, "followed")
    for port in (81, 82):
        while True:
            denied(host.lab, "a", "followed", port, TCP)
            if following.wait().target_port == port:
                break
    assert {one.side for one in following.told} == {IN}


def test_an_instance_whose_groups_do_not_log_says_so(host: Hosting) -> None:
    with pytest.raises(HostError, match=r"group\.default does not have denied packets logged") as caught:
        host.agent.denied(uuid("a"))
    assert "log_denied: true  into group.default" in caught.value.hint
    with pytest.raises(HostError, match="no such instance"):
        host.agent.denied("00000000-0000-4000-8000-000000000000")


def test_nothing_drifts_and_the_logs_going_changes_only_the_log(changing: Hosting) -> None:
    assert changing.agent.host().drift == ()
    silent = document(list(DOCUMENT.instances.values()), [DEFAULT, group("web", egress())], generation=2)
    changing.agent.put_document(silent, 1)
    assert changing.agent.host().drift == ()
    assert "log prefix" not in changing.lab.host.run("nft", "list", "ruleset").stdout


def test_somebody_who_takes_our_log_rule_away_is_found_out(changing: Hosting) -> None:
    tap = DOCUMENT.instances["web"].nics[0].tap
    listing = changing.lab.host.run("nft", "-a", "list", "chain", "inet", "cloudsync", f"pi_{tap}").stdout
    handle = next(line.rsplit(" ", 1)[1] for line in listing.splitlines() if "log prefix" in line)
    changing.lab.nft(f"delete rule inet cloudsync pi_{tap} handle {handle}")
    (drift,) = changing.agent.host().drift
    assert drift.address == "instance.web"
    assert "log prefix" in drift.message


def test_a_flood_is_dropped_and_counted_in_full_and_told_of_a_few(host: Hosting) -> None:
    """The kernel passes on five a second for each side of a port, after a first five."""
    lab, many = host.lab, 20000
    tap = DOCUMENT.instances["flooded"].nics[0].tap
    began = time.monotonic()
    with lab.outside.namespace.socket(UDP) as sender:
        for number in range(many):
            sender.sendto(b"x", ("10.20.0.17", 1024 + number % 40000))
    took = time.monotonic() - began
    found = remembered(host, "flooded", 5)
    counted = [one["packets"] for one in lab.counters() if one["chain"] == f"inet pi_{tap}"]
    assert counted == [many]
    assert 5 <= sum(one.count for one in found) <= 5 + 5 * (took + 1)
