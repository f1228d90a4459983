"""Which running flows a document ends, on what a kernel said of its flows."""

from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.agent.firewall import ctnetlink
from cloudsync.agent.firewall.ctnetlink import Entry
from cloudsync.agent.firewall.eviction import doomed
from cloudsync.agent.links.message import Refused
from cloudsync.reach.recorded import of_document
from cloudsync.reach.service import Service, of_packet
from tests.firewall.documents import sample

# What Linux 6.18 sends for ten flows made by `conntrack -I`, and for the end of the list.
RECORDED = bytes.fromhex((Path(__file__).parent / "recordings/ctnetlink-6.18/dump.hex").read_text())
ENTRIES, LAST = ctnetlink.entries(RECORDED, None)
HOST = frozenset({"10.20.0.1", "10.30.0.1", "198.51.100.1", "127.0.0.1"})


def seen(entry: Entry) -> tuple[object, ...]:
    return (entry.protocol, entry.source, entry.target, entry.ports or entry.icmp)


def cut(gone: frozenset[str] = frozenset()) -> list[tuple[object, ...]]:
    return sorted(seen(entry) for entry in doomed(ENTRIES, of_document(sample()), gone, HOST))


def test_every_shape_of_a_flow_is_understood() -> None:
    assert LAST
    assert sorted(seen(entry) for entry in ENTRIES) == [
        (1, "192.0.2.9", "10.20.0.10", (8, 0, 7)),
        (1, "192.0.2.9", "10.20.0.10", (13, 0, 8)),
        (6, "10.20.0.10", "169.254.169.254", (3000, 80)),
        (6, "10.20.0.10", "198.51.100.2", (41394, 443)),
        (6, "192.0.2.9", "10.20.0.10", (50000, 443)),
        (6, "192.0.2.9", "10.20.0.10", (50001, 22)),
        (17, "10.20.0.10", "10.20.0.1", (5353, 53)),
        (17, "10.30.0.5", "10.30.0.1", (5353, 53)),
        (17, "192.0.2.1", "192.0.2.2", (1, 2)),
        (47, "10.30.0.5", "10.20.0.10", (0, 0)),
        (99, "10.30.0.5", "10.20.0.10", None),
    ]
    (metadata,) = (entry for entry in ENTRIES if entry.target == "169.254.169.254")
    assert (metadata.reply_source, metadata.reply_target, metadata.reply_port) == ("10.20.0.1", "10.20.0.10", 8775)


@pytest.mark.parametrize("address", ["10.20.0.10", "198.51.100.1", "10.20.0.1", "192.0.2.2", "10.9.9.9"])
def test_flows_of_one_address_are_found_on_either_side_of_translation(address: str) -> None:
    wanted = [entry for entry in ENTRIES if address in entry.addresses]
    assert ctnetlink.entries(RECORDED, ctnetlink.packed({address}))[0] == wanted


def test_an_answer_that_is_cut_off_or_says_no_is_not_an_empty_table() -> None:
    assert ctnetlink.entries(RECORDED[:-20], None)[1] is False
    refusal = bytes.fromhex("2400000002000000") + bytes(8) + (-1).to_bytes(4, "little", signed=True) + bytes(16)
    with pytest.raises(Refused):
        ctnetlink.entries(refusal, None)
    assert ctnetlink.codes(refusal) == [1]
    with pytest.raises(Refused):
        ctnetlink.entries(bytes(32), None)


def test_a_flow_is_deleted_by_what_the_kernel_calls_it() -> None:
    """Header, family, and the first direction's tuple as it came."""
    for entry in ENTRIES:
        request = ctnetlink.deletion(entry, 7)
        assert request[:4] == len(request).to_bytes(4, "little")
        assert request[20:] == entry.key
        assert entry.key in RECORDED


def test_what_is_denied_is_cut_and_nothing_else() -> None:
    assert cut() == [
        (1, "192.0.2.9", "10.20.0.10", (13, 0, 8)),
        (6, "192.0.2.9", "10.20.0.10", (50001, 22)),
        (47, "10.30.0.5", "10.20.0.10", (0, 0)),
        (99, "10.30.0.5", "10.20.0.10", None),
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


def test_infra_that_is_added_ends_flows_to_it() -> None:
    found = replace(sample(), infra=("198.51.100.2",))
    assert any(entry.target == "198.51.100.2" for entry in doomed(ENTRIES, of_document(found), frozenset(), HOST))
