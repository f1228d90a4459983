"""Documents into dnsmasq's files, without dnsmasq."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.agent.dnsmasq.config import Files, files
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from tests.firewall.documents import NETWORK, document, instance, sample


def rendered(found: HostDocument) -> Files:
    return files(found, Path("/run/cloudsync/dnsmasq"), "dnsmasq")


def test_a_guest_is_bound_to_its_tap_and_never_sets_a_tag() -> None:
    nic = sample().instances["web-1"].nics[0]
    found = rendered(sample())
    assert f"{nic.mac},tag:{nic.tap},10.20.0.10,web-1" in found.guests.splitlines()
    assert "set:" not in found.guests


def test_names_are_of_the_whole_cloud_with_their_networks_domain() -> None:
    assert rendered(sample()).names.splitlines() == [
        "10.20.0.10 web-1.demo.internal web-1",
        "10.20.0.11 web-2.demo.internal web-2",
        "10.20.0.12 probe.demo.internal probe probe.default.demo.internal",
        "10.30.0.5 db.back.internal db",
        "10.30.0.7 probe.back.internal probe.back.back.internal",
    ]


def test_an_instance_goes_by_its_first_address_and_by_each_of_its_networks() -> None:
    more = [("default", "10.20.0.2", True), ("Side", "10.40.0.7", True), ("a.b", "10.50.0.7", True)]
    side, odd = (
        replace(NETWORK, name=name, subnet=f"10.{at}.0.0/24", gateway=f"10.{at}.0.1")
        for name, at in (("Side", 40), ("a.b", 50))
    )
    found = rendered(document([instance("web", "10.20.0.9", more=more)], networks=[NETWORK, side, odd]))
    assert found.names.splitlines() == [
        "10.20.0.2 web.default.demo.internal",
        "10.20.0.9 web.demo.internal web web.default.demo.internal",
        "10.40.0.7 web.side.demo.internal",
    ]


def test_only_the_first_nic_has_a_default_route() -> None:
    more = [("back", "10.30.0.9", True), ("default", "10.20.0.3", True)]
    back = replace(NETWORK, name="back", subnet="10.30.0.0/24", gateway="10.30.0.1")
    one = instance("web", "10.20.0.9", more=more)
    first, second, third = (nic.tap for nic in one.nics)
    found = rendered(document([one], networks=[NETWORK, back]))
    assert set(found.options.splitlines()) == {
        f"tag:{second},3",
        f"tag:{second},121,10.30.0.1/32,0.0.0.0,169.254.169.254/32,10.30.0.1,10.30.0.0/24,10.30.0.1",
        f"tag:{third},3",
        f"tag:{third},121,10.20.0.1/32,0.0.0.0,169.254.169.254/32,10.20.0.1",
    }
    assert first not in found.configuration + found.options
    assert [line.split(",")[1] for line in found.guests.splitlines()].count(f"tag:{first}") == 1
    assert len(found.guests.splitlines()) == 3


def test_each_network_has_its_own_options() -> None:
    lines = rendered(sample()).configuration.splitlines()
    ranges = [line for line in lines if line.startswith("dhcp-range")]
    assert [line.split(",", 1)[1] for line in ranges] == [
        "10.30.0.0,static,255.255.255.0,infinite",
        "10.20.0.0,static,255.255.0.0,infinite",
    ]
    assert sum(re.search(r",121,[0-9.]+/32,0\.0\.0\.0,169\.254\.169\.254/32,", line) is not None for line in lines) == 2
    assert {"local=/demo.internal/", "local=/back.internal/"} <= set(lines)


def test_forwarders_are_named_once_and_only_when_there_are_some() -> None:
    assert "server=" not in rendered(sample()).configuration.replace("rev-server=", "")
    more = replace(NETWORK, dns=("9.9.9.9", "2620:fe::fe"))
    other = replace(more, name="other", subnet="10.40.0.0/24", gateway="10.40.0.1", dns=("9.9.9.9",))
    lines = rendered(document([], networks=[more, other])).configuration.splitlines()
    assert [line for line in lines if line.startswith("server=")] == ["server=2620:fe::fe", "server=9.9.9.9"]


def test_a_new_guest_needs_no_other_process_and_a_new_network_does() -> None:
    old, new = document([]), document([instance("a", "10.20.0.2")])
    assert rendered(old).title == rendered(new).title
    assert rendered(old).guests != rendered(new).guests
    assert rendered(old).title != rendered(document([], networks=[replace(NETWORK, domain="other.internal")])).title


@pytest.mark.parametrize(
    "broken",
    [
        document([instance("a\naddress=/#/10.0.0.1", "10.20.0.2")]),
        document([instance("a,b", "10.20.0.2")]),
        document([], networks=[replace(NETWORK, domain="x\nserver=192.0.2.1")]),
        document([], networks=[replace(NETWORK, domain="")]),
        document([], networks=[replace(NETWORK, dns=("9.9.9.9#53\nuser=root",))]),
        document([], networks=[replace(NETWORK, gateway="10.20.0.1,set:x")]),
        document([], elsewhere=[instance("b c", "10.20.0.2")]),
    ],
)
def test_nothing_of_a_document_can_add_a_line(broken: HostDocument) -> None:
    with pytest.raises(HostError):
        rendered(broken)
