"""A network of the cloud that is one of the host's own would cut the host off: refused before anything is changed."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cloudsync.agent.links import netlink
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from tests.firewall.documents import NETWORK, document, instance
from tests.lab.standins import Lab, standins

pytestmark = pytest.mark.real

DOCUMENT = document([instance("a", "10.20.0.11")])


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with standins(DOCUMENT) as made:
        made.apply(DOCUMENT)
        yield made


def beside(subnet: str, gateway: str) -> HostDocument:
    more = replace(NETWORK, name="more", subnet=subnet, gateway=gateway)
    return replace(DOCUMENT, networks={**DOCUMENT.networks, "more": more})


@pytest.mark.parametrize(
    ("subnet", "gateway"),
    [
        ("198.51.100.0/24", "198.51.100.9"),
        ("198.51.100.128/25", "198.51.100.129"),
        ("198.51.0.0/16", "198.51.0.1"),
    ],
)
def test_what_overlaps_the_hosts_own_is_refused_and_changes_nothing(lab: Lab, subnet: str, gateway: str) -> None:
    before = lab.host.ip("rule") + lab.host.ip("route")
    with pytest.raises(HostError, match=r"network\.more: its subnet .* overlaps 198\.51\.100\.0/24, .* on up0"):
        lab.apply(beside(subnet, gateway))
    assert lab.host.ip("rule") + lab.host.ip("route") == before
    assert lab.drift(DOCUMENT) == []


def test_what_the_host_has_is_told_without_the_taps(lab: Lab) -> None:
    found = {(one.device, one.subnet) for one in lab.host.enter(netlink.occupied)}
    assert found == {("lo", "127.0.0.0/8"), ("up0", "198.51.100.0/24")}


def test_another_is_taken_and_given_back(lab: Lab) -> None:
    lab.apply(beside("10.99.0.0/24", "10.99.0.1"))
    assert "10.99.0.0/24" in lab.host.ip("route")
    lab.apply(DOCUMENT)
    assert "10.99.0.0/24" not in lab.host.ip("rule") + lab.host.ip("route")
