"""What others do to floating addresses: flushed rules close them, tampering is named and undone, theirs stays."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cloudsync.model.problem import HostError
from tests.floating.world import FIRST, SECOND, THIRD, seen, world
from tests.lab.standins import HOST, OUTSIDE, Lab, Peer, standins

pytestmark = pytest.mark.real

DOCUMENT = world()
STRANGER = "198.51.100.77"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with standins(DOCUMENT) as made:
        made.apply(DOCUMENT)
        yield made


def test_flushing_every_rule_closes_floating_addresses_and_gives_none_to_the_host(lab: Lab) -> None:
    host = Peer(lab.host, "")
    assert seen(lab.outside, lab.guests["a"], FIRST, 80) == OUTSIDE
    lab.host.run("nft", "flush", "ruleset")
    with host.listen(80) as own:
        for source in (lab.outside, lab.guests["a"], lab.guests["b"], Peer(lab.host, HOST)):
            with pytest.raises(OSError, match="No route to host"):
                source.connect(FIRST, 80)
        own.setblocking(False)
        with pytest.raises(BlockingIOError):
            own.accept()
    lab.apply(DOCUMENT)
    assert seen(lab.outside, lab.guests["a"], FIRST, 80) == OUTSIDE


TAMPERINGS = [
    (
        ["ip", "neigh", "del", "proxy", FIRST],
        "instance.a",
        f"the host does not answer for its floating address {FIRST}",
    ),
    (["ip", "route", "del", f"{SECOND}/32"], "instance.b", f"the route `{SECOND}/32 dev cs-floating` is missing"),
    (["ip", "link", "del", "cs-floating"], "instance.shut", f"the route `{THIRD}/32 dev cs-floating` is missing"),
    (["ip", "link", "set", "cs-floating", "down"], "instance.a", f"the route `{FIRST}/32 dev cs-floating` is missing"),
    (["ip", "route", "del", "unreachable", "10.30.0.0/24"], "network.bare", "the route `unreachable 10.30.0.0/24` is"),
    (
        ["ip", "route", "add", f"{STRANGER}/32", "dev", "cs-floating", "proto", "197"],
        "host.kvm-1",
        f"the route `{STRANGER}/32 dev cs-floating` is not wanted",
    ),
    (
        ["nft", "delete", "element", "inet", "cloudsync", "fip_in4", f"{{ {FIRST} }}"],
        "instance.a",
        "its floating address does not lead to it",
    ),
    (
        ["nft", "add", "element", "inet", "cloudsync", "fip_in4", f"{{ {STRANGER} : 10.20.0.13 }}"],
        "host.kvm-1",
        f"a foreign floating address was added: {STRANGER}",
    ),
    (
        ["nft", "delete", "element", "inet", "cloudsync", "fip_out4", "{ 10.20.0.12 }"],
        "instance.b",
        "it does not leave by its floating address",
    ),
    (
        ["nft", "add", "element", "inet", "cloudsync", "fip_out4", f"{{ 10.20.0.13 : {STRANGER} }}"],
        "instance.plain",
        "10.20.0.13 leaves by a foreign floating address",
    ),
    (
        ["nft", "flush", "set", "inet", "cloudsync", "fip_self4"],
        "instance.shut",
        "it does not reach itself by its floating address",
    ),
]


@pytest.mark.parametrize(("command", "address", "words"), TAMPERINGS, ids=lambda one: str(one)[:40])
def test_each_tampering_is_named_and_put_right(lab: Lab, command: list[str], address: str, words: str) -> None:
    lab.host.run(*command)
    found = lab.drift(DOCUMENT)
    assert any(where == address and words in message for where, message in found), found
    lab.apply(DOCUMENT)
    assert lab.drift(DOCUMENT) == []
    assert seen(lab.outside, lab.guests["a"], FIRST, 80) == OUTSIDE


def test_an_address_that_is_led_astray_is_named_by_its_owner(lab: Lab) -> None:
    lab.nft(
        f"delete element inet cloudsync fip_in4 {{ {FIRST} }}\n"
        f"add element inet cloudsync fip_in4 {{ {FIRST} : 10.20.0.13 }}"
    )
    assert lab.drift(DOCUMENT) == [("instance.a", "its floating address does not lead to it")]
    lab.apply(DOCUMENT)


def test_the_hosts_own_address_is_not_given_away(lab: Lab) -> None:
    with pytest.raises(HostError, match=rf"instance\.a: its floating address {HOST} is this host's own"):
        lab.apply(world(a=HOST))
    assert lab.drift(DOCUMENT) == []


def test_others_routes_and_answers_are_left_alone() -> None:
    with standins(DOCUMENT) as lab:
        lab.host.ip("neigh", "add", "proxy", STRANGER, "dev", "up0")
        lab.host.ip("route", "add", "192.0.2.0/24", "via", OUTSIDE)
        lab.host.ip("route", "add", "unreachable", "192.0.2.128/25")
        for document in (DOCUMENT, world(None, None), DOCUMENT):
            lab.apply(document)
            assert lab.drift(document) == []
        lab.remove()
        lab.remove()
        assert lab.host.ip("neigh", "show", "proxy").strip() == f"{STRANGER} dev up0 proxy"
        routes = lab.host.ip("route")
        assert "192.0.2.0/24 via" in routes
        assert "unreachable 192.0.2.128/25" in routes
        assert "proto 197" not in routes + lab.host.ip("rule")
        assert "cs-floating" not in lab.host.ip("link")


def test_with_the_last_one_the_device_goes() -> None:
    none = replace(
        DOCUMENT,
        instances={
            name: replace(one, nics=(replace(one.nics[0], floating=None),)) for name, one in DOCUMENT.instances.items()
        },
    )
    with standins(DOCUMENT) as lab:
        lab.apply(DOCUMENT)
        assert "cs-floating" in lab.host.ip("link")
        lab.apply(none)
        assert "cs-floating" not in lab.host.ip("link")
        assert lab.host.ip("neigh", "show", "proxy") == ""
        assert lab.drift(none) == []
