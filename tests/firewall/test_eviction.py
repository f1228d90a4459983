"""Which running flows a document ends, on a recorded listing."""

from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.agent.firewall.conntrack import command, parse
from cloudsync.agent.firewall.eviction import doomed
from cloudsync.reach.recorded import of_document
from cloudsync.reach.service import Service, of_packet
from tests.firewall.documents import sample

ENTRIES = parse((Path(__file__).parent / "recordings/conntrack-1.4.7/list.txt").read_text())
HOST = frozenset({"10.20.0.1", "10.30.0.1", "198.51.100.1", "127.0.0.1"})


def cut(gone: frozenset[str] = frozenset()) -> list[str]:
    return [command(entry) for entry in doomed(ENTRIES, of_document(sample()), gone, HOST)]


def test_what_is_denied_is_cut_and_nothing_else() -> None:
    assert cut() == [
        "-D -f ipv4 -p 6 -s 192.0.2.9 -d 10.20.0.10 --sport 50001 --dport 22",
        "-D -f ipv4 -p 1 -s 192.0.2.9 -d 10.20.0.10 --icmp-type 13 --icmp-code 0 --icmp-id 8",
        "-D -f ipv4 -p 47 -s 10.30.0.5 -d 10.20.0.10",
    ]


def test_an_address_that_went_takes_all_its_flows() -> None:
    mine = [entry for entry in ENTRIES if "10.20.0.10" in entry.addresses]
    assert len(cut(frozenset({"10.20.0.10"}))) == len(mine) == len(ENTRIES) - 2


@pytest.mark.parametrize(
    ("flow", "permitted"),
    [
        (("192.0.2.9", "10.20.0.10", of_packet(6, 443, None)), True),
        (("192.0.2.9", "10.20.0.10", of_packet(6, 444, None)), False),
        (("10.1.1.1", "10.20.0.10", of_packet(6, 8010, None)), True),
        (("10.1.1.1", "10.20.0.10", of_packet(17, 8010, None)), False),
        (("192.0.2.7", "10.20.0.10", of_packet(6, 1, None)), True),
        (("10.30.0.5", "10.20.0.10", of_packet(47, None, None)), False),  # db may not send anything
        (("10.20.0.12", "10.20.0.10", of_packet(1, None, (13, 0))), True),
        (("192.0.2.9", "10.20.0.10", of_packet(1, None, (3, 4))), True),
        (("192.0.2.9", "10.20.0.10", of_packet(1, None, (3, 1))), False),
        (("10.20.0.10", "203.0.113.5", of_packet(6, 443, None)), False),  # infra
        (("10.20.0.11", "10.30.0.5", of_packet(6, 5432, None)), True),
        (("10.20.0.12", "10.30.0.5", of_packet(6, 5432, None)), False),
        (("192.0.2.9", "10.20.0.12", of_packet(6, 1, None)), True),  # port_security off
        (("192.0.2.1", "192.0.2.2", of_packet(6, 1, None)), True),  # nobody of ours
    ],
)
def test_single_flows(flow: tuple[str, str, Service], permitted: bool) -> None:
    assert of_document(sample()).permits(*flow) is permitted


def test_lines_that_are_no_flows_are_passed_over() -> None:
    assert parse("conntrack v1.4.7 (conntrack-tools): 0 flow entries have been shown.\n\ntcp 6\n") == ()


def test_infra_that_is_added_ends_flows_to_it() -> None:
    found = replace(sample(), infra=("198.51.100.2",))
    assert any(entry.target == "198.51.100.2" for entry in doomed(ENTRIES, of_document(found), frozenset(), HOST))
