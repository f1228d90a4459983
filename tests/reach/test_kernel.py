"""What is said about the kernel's rules is what packets meet, also when somebody has been at them."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest

from cloudsync.reach.question import Question
from cloudsync.reach.service import ANY, Service
from tests.firewall.documents import DEFAULT, document, egress, group, ingress, instance
from tests.lab.standins import HOST, OUTSIDE, Guest, Lab, Peer, standins

pytestmark = pytest.mark.real

DOCUMENT = document(
    [
        instance("web", "10.20.0.13", ("web",)),
        instance("db", "10.20.0.14", ("db",)),
        instance("a", "10.20.0.15"),
    ],
    [
        DEFAULT,
        group("web", ingress("any", "tcp", (80, 82)), egress("group.db", "tcp", (5432, 5432))),
        group("db", ingress("group.web", "tcp", (5432, 5433)), egress()),
    ],
)
HTTP, SQL = Service("tcp", (80, 80)), Service("tcp", (5432, 5432))


@pytest.fixture
def lab() -> Iterator[Lab]:
    with standins(DOCUMENT) as made:
        made.apply(DOCUMENT)
        yield made


def said(lab: Lab, source: Peer, target: Peer, port: int) -> bool | None:
    (ruling,) = lab.rulings(DOCUMENT, Question(source.address, target.address, (Service("tcp", (port, port)),)))
    return ruling.allowed


def compared(lab: Lab) -> list[bool]:
    """Every pair at three ports: what is said, once it is known to be what happens."""
    found = []
    ends: list[Peer] = [*lab.guests.values(), lab.outside]
    for source, target in permutations(ends, 2):
        if isinstance(target, Guest) or isinstance(source, Guest):
            for port in (80, 81, 5432):
                happens = lab.reaches(source, target, port)
                assert said(lab, source, target, port) is happens, (source.address, target.address, port)
                found.append(happens)
    return found


def test_what_is_said_is_what_packets_meet_and_tampering_shows(lab: Lab) -> None:
    untouched = compared(lab)
    tap = lab.guests["db"].nic.tap
    lab.nft(
        "insert rule inet cloudsync forward_to tcp dport 81 counter drop\n"
        f"insert rule inet cloudsync pi_{tap} ip saddr {OUTSIDE} tcp dport 80-90 accept\n"
        f"delete element inet cloudsync egress {{ {lab.guests['a'].nic.tap} }}\n"
    )
    assert compared(lab) != untouched
    assert lab.drift(DOCUMENT, only="firewall")


@pytest.mark.parametrize("infra", [(), (HOST,)])
def test_what_a_host_sends_and_is_sent_by_its_own_addresses(infra: tuple[str, ...]) -> None:
    """Whether the document says that the address is a host's makes no difference: the kernel knows it."""
    told = replace(DOCUMENT, infra=infra)
    with standins(told) as lab:
        lab.apply(told)
        host = Peer(lab.host, HOST)
        for guest in lab.guests.values():
            for own in (HOST, "10.20.0.1"):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    assert lab.reaches(host, guest, 81, kind, bound=own)
                assert said(lab, Peer(lab.host, own), guest, 81)
            for port in (53, 81):
                assert not lab.reaches(guest, host, port)
                assert said(lab, guest, host, port) is False


def test_a_rule_is_named_with_its_count(lab: Lab) -> None:
    asked = Question(lab.outside.address, lab.guests["web"].address, (HTTP,))
    (before,) = lab.rulings(DOCUMENT, asked)
    assert before.stops[-1].comment == "group.web tcp/80-82 from any"
    assert lab.reaches(lab.outside, lab.guests["web"], 80)
    (after,) = lab.rulings(DOCUMENT, asked)
    assert (before.stops[-1].packets, after.stops[-1].packets) == (0, 1)


def test_a_rule_of_somebody_elses_is_told_by_the_handle_that_removes_it(lab: Lab) -> None:
    asked = Question(lab.guests["a"].address, lab.guests["db"].address, (Service("tcp", (22, 22)),))
    lab.nft("insert rule inet cloudsync forward_to tcp dport 22 accept")
    (opened,) = lab.rulings(DOCUMENT, asked)
    assert opened.allowed
    (foreign,) = [stop for stop in opened.stops if stop.foreign]
    assert (foreign.chain, foreign.rule) == ("forward_to", "tcp dport 22 accept")
    lab.nft(f"delete rule inet cloudsync {foreign.chain} handle {foreign.handle}")
    (closed,) = lab.rulings(DOCUMENT, asked)
    assert not closed.allowed
    assert not any(stop.foreign for stop in closed.stops)


def test_all_that_rules_mention_is_tried_when_nothing_is_named(lab: Lab) -> None:
    asked = Question(lab.guests["web"].address, lab.guests["db"].address)
    lab.nft("insert rule inet cloudsync forward_to udp dport 9999 accept")
    found = {ruling.service: ruling.allowed for ruling in lab.rulings(DOCUMENT, asked)}
    assert found["tcp/5432"] is True
    assert found["tcp/5432-5433"] is False  # tried at 5433, which web may not send
    assert found[str(ANY)] is False
    assert "udp/9999" in found


def test_a_missing_table_and_a_strange_rule_are_told(lab: Lab) -> None:
    asked = Question(lab.guests["web"].address, lab.guests["db"].address, (SQL,))
    lab.nft("insert rule inet cloudsync forward_from meta length 64 accept")
    (strange,) = lab.rulings(DOCUMENT, asked)
    assert strange.allowed is None
    assert "cannot be judged" in strange.why
    lab.nft("delete table inet cloudsync")
    (gone,) = lab.rulings(DOCUMENT, asked)
    assert gone.allowed is False
    assert "is missing" in gone.why
    with pytest.raises(OSError, match="No route to host"):
        lab.guests["web"].connect(lab.guests["db"].address, 5432)
