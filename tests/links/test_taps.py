"""Addresses and routes of taps, flushed and given back, in the kernel of a host whose guests are namespaces."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.firewall.documents import document, instance
from tests.lab.standins import PATIENCE, Lab, standins

pytestmark = pytest.mark.real

DOCUMENT = document([instance("a", "10.20.0.11"), instance("b", "10.20.0.12")])


def answered(lab: Lab, name: str = "a", patience: float = PATIENCE) -> bool:
    """By the resolver on the gateway: there and back."""
    with lab.guests[name].namespace.socket() as client, suppress(TimeoutError):
        client.settimeout(patience)
        client.connect(("10.20.0.1", 53))
        return True
    return False


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Applied, and both guests have spoken."""
    with standins(DOCUMENT) as made:
        made.apply(DOCUMENT)
        assert answered(made, "a")
        assert answered(made, "b")
        yield made


def tap(lab: Lab, name: str = "a") -> str:
    return lab.guests[name].nic.tap


def test_nothing_lacks_at_first(lab: Lab) -> None:
    assert lab.drift(DOCUMENT) == []
    assert answered(lab)


def test_a_flushed_address_is_drift_and_given_back(lab: Lab) -> None:
    lab.host.ip("addr", "flush", "dev", tap(lab))
    assert lab.drift(DOCUMENT) == [("instance.a", f"the address 10.20.0.1 peer 10.20.0.11 of {tap(lab)} is missing")]
    assert not answered(lab, patience=1)
    lab.apply(DOCUMENT)
    assert lab.drift(DOCUMENT) == []
    assert answered(lab)
    assert "inet 10.20.0.1 peer 10.20.0.11/32" in lab.host.ip("addr", "show", "dev", tap(lab))


def test_flushed_routes_are_drift_and_given_back(lab: Lab) -> None:
    for name in ("a", "b"):
        lab.host.ip("route", "flush", "dev", tap(lab, name))
    assert lab.drift(DOCUMENT) == [
        ("instance.a", f"the route to 10.20.0.11 by {tap(lab)} is missing"),
        ("instance.b", f"the route to 10.20.0.12 by {tap(lab, 'b')} is missing"),
    ]
    lab.apply(DOCUMENT)
    assert lab.drift(DOCUMENT) == []
    assert answered(lab)


def test_a_route_that_leads_elsewhere_is_turned_back(lab: Lab) -> None:
    lab.host.ip("route", "replace", "10.20.0.11/32", "dev", "up0")
    assert lab.drift(DOCUMENT) == [("instance.a", f"the route to 10.20.0.11 by {tap(lab)} is missing")]
    lab.apply(DOCUMENT)
    assert lab.drift(DOCUMENT) == []
    assert answered(lab)


def test_another_address_beside_it_is_nobodys_business(lab: Lab) -> None:
    lab.host.ip("addr", "flush", "dev", tap(lab))
    lab.host.ip("addr", "add", "192.0.2.7/32", "dev", tap(lab))
    lab.apply(DOCUMENT)
    assert lab.drift(DOCUMENT) == []
    assert "192.0.2.7" in lab.host.ip("addr", "show", "dev", tap(lab))


def test_a_tap_with_another_guests_address_lacks_its_own(lab: Lab) -> None:
    lab.host.ip("addr", "flush", "dev", tap(lab))
    lab.host.ip("addr", "add", "10.20.0.1/32", "peer", "10.20.0.99/32", "dev", tap(lab))
    assert [address for address, _ in lab.drift(DOCUMENT)] == ["instance.a"]
    lab.apply(DOCUMENT)
    assert lab.drift(DOCUMENT) == []
    assert answered(lab)


def test_a_tap_that_libvirt_is_still_making_is_left_alone(lab: Lab) -> None:
    """Up, without an address, and nothing has come from it: libvirt is about to give it one, and must be the first."""
    late = instance("late", "10.20.0.13")
    with_late = document([*DOCUMENT.instances.values(), late])
    name = late.nics[0].tap
    lab.host.ip("link", "add", name, "type", "veth", "peer", "name", "far0")
    lab.host.ip("link", "set", name, "up")
    lab.apply(with_late)
    assert lab.drift(with_late) == []
    assert "inet " not in lab.host.ip("addr", "show", "dev", name)


def test_a_tap_that_is_not_there_lacks_nothing(lab: Lab) -> None:
    gone = document([*DOCUMENT.instances.values(), instance("gone", "10.20.0.14")])
    lab.apply(gone)
    assert lab.drift(gone) == []


def test_a_tap_that_was_set_down_is_drift_and_set_up(lab: Lab) -> None:
    """Its route went with it, and comes back."""
    lab.host.ip("link", "set", tap(lab), "down")
    message = f"the network card of 10.20.0.11 is switched off: {tap(lab)} is down"
    assert lab.drift(DOCUMENT) == [("instance.a", message)]
    assert not answered(lab, patience=1)
    lab.apply(DOCUMENT)
    assert lab.drift(DOCUMENT) == []
    assert answered(lab)


def test_a_tap_that_was_set_down_and_flushed_is_given_all_back(lab: Lab) -> None:
    lab.host.ip("addr", "flush", "dev", tap(lab))
    lab.host.ip("link", "set", tap(lab), "down")
    lab.apply(DOCUMENT)
    assert lab.drift(DOCUMENT) == []
    assert answered(lab)


def test_a_tap_that_libvirt_has_not_brought_up_yet_is_left_alone(lab: Lab) -> None:
    late = instance("late", "10.20.0.13")
    with_late = document([*DOCUMENT.instances.values(), late])
    name = late.nics[0].tap
    lab.host.ip("link", "add", name, "type", "veth", "peer", "name", "far0")
    lab.apply(with_late)
    assert lab.drift(with_late) == []
    assert ",UP" not in lab.host.ip("link", "show", "dev", name)


def test_a_tap_is_set_up_whose_guest_never_spoke(lab: Lab) -> None:
    """Whoever gave it the address had brought it up."""
    silent = instance("silent", "10.20.0.13")
    with_silent = document([*DOCUMENT.instances.values(), silent])
    name = silent.nics[0].tap
    lab.host.ip("link", "add", name, "type", "veth", "peer", "name", "far0")
    lab.host.ip("addr", "add", "10.20.0.1/32", "peer", "10.20.0.13/32", "dev", name)
    assert (
        "instance.silent",
        f"the network card of 10.20.0.13 is switched off: {name} is down",
    ) in lab.drift(with_silent)
    lab.apply(with_silent)
    assert lab.drift(with_silent) == []
    assert ",UP" in lab.host.ip("link", "show", "dev", name)
