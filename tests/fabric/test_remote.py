"""What a document says of other hosts' instances, without a kernel."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.trace import rulings
from cloudsync.agent.links.remote import DEVICE, Peer, Way, number, others, peers, tunnel, ways
from cloudsync.agent.links.tap import taps
from cloudsync.agent.validate import problems
from cloudsync.model.delta import difference, patched
from cloudsync.model.document import Entry, HostDocument
from cloudsync.reach.question import Question
from cloudsync.reach.service import parse
from tests.firewall.documents import document, instance

NAMES = st.sampled_from(["h1", "h2", "h3", "h4"])
ENTRIES = st.dictionaries(
    st.sampled_from([f"i{at}" for at in range(9)]), st.tuples(NAMES, st.integers(2, 250)), max_size=9
)


def made(there: dict[str, tuple[str, int]], underlay: set[str], fabric: str = "direct") -> HostDocument:
    uuid = "0b1c2d3e-0000-4000-8000-000000000000"
    return HostDocument(
        cloud="demo",
        host="h1",
        generation=1,
        fabric=fabric,
        underlay={name: f"192.0.2.{name[1:]}" for name in sorted(underlay)},
        directory={
            name: Entry(uuid=uuid, host=host, addresses=(f"10.20.{at}.{last}",))
            for at, (name, (host, last)) in enumerate(there.items())
        },
    )


DOCUMENTS = st.builds(made, ENTRIES, st.sets(NAMES), st.sampled_from(["direct", "vxlan"]))


@given(DOCUMENTS)
def test_there_is_a_way_to_each_instance_elsewhere_whose_host_has_an_address_and_to_no_other(
    found: HostDocument,
) -> None:
    elsewhere = {
        f"instance.{name}": (entry.addresses[0], found.underlay[entry.host])
        for name, entry in found.directory.items()
        if entry.host != "h1" and entry.host in found.underlay
    }
    assert {owner: (way.destination, way.via) for way, owner in ways(found).items()} == elsewhere
    assert {way.device for way in ways(found)} <= {DEVICE if found.fabric == "vxlan" else ""}


@given(DOCUMENTS)
def test_there_is_a_tunnel_only_where_both_ends_can_be(found: HostDocument) -> None:
    end = tunnel(found)
    assert (end is not None) == (found.fabric == "vxlan" and "h1" in found.underlay and len(others(found)) > 0)
    assert {peer.address for peer in peers(found)} == (set(others(found)) if end else set())


@given(DOCUMENTS, DOCUMENTS)
def test_a_delta_carries_it(old: HostDocument, new: HostDocument) -> None:
    assert patched(old, difference(old, new)) == new


def test_each_end_is_what_the_others_take_it_for() -> None:
    there = {"a": ("h2", 2)}
    first = made(there, {"h1", "h2"}, "vxlan")
    second = replace(first, host="h2")
    (seen,) = peers(first)
    end = tunnel(second)
    assert end is not None
    assert seen == Peer(end.address, end.mac) == Peer("192.0.2.2", end.mac)
    assert int(end.mac[:2], 16) & 3 == 2, "of one machine, and nobody's who makes them"


def test_each_cloud_has_a_number_of_its_own_that_fits() -> None:
    numbers = {number(f"cloud-{at}") for at in range(1000)}
    assert len(numbers) > 990
    assert min(numbers) > 0
    assert max(numbers) < 1 << 24


def test_a_way_reads_as_ip_route_takes_it() -> None:
    assert str(Way("10.20.0.7", "192.0.2.2")) == "10.20.0.7 via 192.0.2.2"
    assert str(Way("10.20.0.7", "192.0.2.2", DEVICE)) == f"10.20.0.7 via 192.0.2.2 dev {DEVICE} onlink"


def test_an_agent_refuses_what_is_no_fabric_and_no_address() -> None:
    wrong = replace(made({}, set(), "ipip"), underlay={"h2": "198.51.100.0/24", "a b": "192.0.2.1"})
    assert problems(wrong) == [
        "fabric 'ipip' is neither direct nor vxlan",
        "underlay 'h2': '198.51.100.0/24' is not a host's IPv4 address",
        "underlay 'a b': '192.0.2.1' is not a host's IPv4 address",
    ]


def test_while_one_moves_both_hosts_know_the_other_behind_the_tap() -> None:
    """The tap's route goes first while there is one; the kernel takes it away with the tap."""
    underlay = {"h1", "h2", "h3"}
    here, there = made({"a": ("h1", 2)}, underlay), made({"a": ("h2", 2)}, underlay)
    mine = {"a": replace(instance("a", "10.20.0.2"), host="h1")}
    source = replace(here, instances=mine, leaving={"a": "h2"})
    assert list(ways(source)) == [Way("10.20.0.2", "192.0.2.2", metric=1024)]
    target = replace(there, instances=mine)
    assert list(ways(target)) == [Way("10.20.0.2", "192.0.2.2", metric=1024)]
    assert list(ways(there)) == [Way("10.20.0.2", "192.0.2.2")]
    networks = document([]).networks
    assert taps(replace(source, networks=networks))
    assert not taps(replace(target, networks=networks)), "libvirt gives the address to a tap that is just coming"


@pytest.mark.parametrize("fabric", ["direct", "vxlan"])
@pytest.mark.parametrize(("source", "allowed"), [("10.20.0.12", True), ("10.20.0.99", False), ("192.0.2.200", False)])
def test_a_traced_packet_comes_by_the_way_to_its_sender(fabric: str, source: str, allowed: bool) -> None:
    here, far = instance("a", "10.20.0.11"), instance("far", "10.20.0.12")
    underlay = {"kvm-1": "192.0.2.11", "kvm-2": "192.0.2.12"}
    known = replace(document([here], elsewhere=[far]), fabric=fabric, underlay=underlay)
    asked = Question(source, "10.20.0.11", (parse("tcp/22"),))
    (ruling,) = rulings(compile_document(known, 8775), known, asked, frozenset({"10.20.0.1", "192.0.2.11"}))
    assert ruling.allowed is allowed
