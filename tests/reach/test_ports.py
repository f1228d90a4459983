"""Instances with several network cards, cards without filtering, floating addresses."""

from dataclasses import replace

import pytest

from cloudsync.model.cloud import Cloud, WantedNic
from cloudsync.model.resources import Network
from cloudsync.reach.ask import Answer, ask
from cloudsync.reach.scene import Scene
from cloudsync.reach.service import parse
from cloudsync.reach.wanted import of_cloud
from tests.firewall.documents import DEFAULT, NETWORK, egress, group, ingress
from tests.planner.build import cloud, instance

BACK = Network(name="back", subnet="10.30.0.0/24", gateway="10.30.0.1", domain="demo.internal", nat=False)
WALLS = (
    DEFAULT,
    group("front", ingress("network.back", "tcp", (22, 22)), egress("10.30.0.0/24")),
    group("shut"),
    group("inner", ingress("10.20.0.0/24", "tcp", (80, 80)), egress()),
)


def two_cards(*, open_back: bool = False) -> tuple[Cloud, Scene]:
    both = (WantedNic(network="default", address="10.20.0.5"), WantedNic(network="back", address="10.30.0.5"))
    back = WantedNic(network="back", address="10.30.0.6", port_security=not open_back)
    found = cloud(
        instance("both", nics=both, groups=("front",)),
        instance("inner", nics=(back,), groups=("inner",)),
        instance("shut", nics=(WantedNic(network="back"),), groups=("shut",)),
        networks={"default": NETWORK, "back": BACK},
    )
    found = replace(found, groups={one.name: one for one in WALLS})
    return found, of_cloud(found)


def asked(source: str, target: str, service: str, **how: bool) -> Answer:
    return ask(*two_cards(**how), source, target, parse(service))


@pytest.mark.parametrize(
    ("source", "target", "service", "yes"),
    [
        ("both", "inner", "tcp/80", True),  # from its card in 10.20.0.0/24
        ("10.30.0.5", "inner", "tcp/80", False),  # not from the other
        ("inner", "both", "tcp/22", True),
        ("network.default", "inner", "tcp/80", True),
        ("inner", "network.default", "tcp/22", True),
        ("inner", "network.back", "tcp/22", False),  # `shut` is there as well
    ],
)
def test_some_address_of_one_must_reach_some_address_of_the_other(
    source: str, target: str, service: str, yes: bool
) -> None:
    assert asked(source, target, service).yes is yes


def test_without_port_security_nothing_is_filtered_there() -> None:
    assert not asked("shut", "inner", "tcp/9", open_back=True).yes  # the sender still is
    (pair,) = asked("internet", "inner", "tcp/9", open_back=True).pairs
    assert pair.verdict == "allowed"
    assert "port_security: false" in pair.because
    assert not asked("internet", "inner", "tcp/9").yes


def floating() -> tuple[Cloud, Scene]:
    found, scene = two_cards()
    ports = [replace(port, floating="203.0.113.9") if port.spot.key == "10.30.0.6" else port for port in scene.ports]
    return found, Scene(tuple(ports), scene.networks, scene.infra)


def test_a_floating_address_stands_for_its_card() -> None:
    found, scene = floating()
    (pair,) = ask(found, scene, "both", "203.0.113.9", parse("tcp/80")).pairs
    assert (pair.target, pair.verdict) == ("instance.inner", "allowed")
    (out,) = ask(found, scene, "inner", "internet", parse("tcp/80")).pairs
    assert "nat: false" not in out.because
    (itself,) = ask(found, scene, "inner", "inner", parse("tcp/81")).pairs
    assert itself.verdict == "allowed"
    (around,) = ask(found, scene, "inner", "203.0.113.9", parse("tcp/81")).pairs
    assert (around.target, around.verdict) == ("instance.inner", "denied")
    (into,) = ask(found, scene, "internet", "inner", parse("tcp/80")).pairs
    assert into.verdict == "denied"
