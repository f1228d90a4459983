"""The JSON files under /openstack: what is in them, from which version on."""

import json
import re
import subprocess
from base64 import b64decode
from dataclasses import replace
from email import message_from_string
from pathlib import Path

import pytest

from cloudsync.agent.metadata import vendor
from cloudsync.agent.metadata.desk import Desk, Request
from cloudsync.agent.metadata.documents import records
from cloudsync.agent.metadata.openstack import network_data
from cloudsync.agent.metadata.record import Interface
from cloudsync.agent.metadata.reports import Event, read_event
from cloudsync.model.resources import Nic
from tests.metadata import world
from tests.metadata.asking import get, never


@pytest.mark.parametrize(
    ("version", "more"),
    [
        ("2012-08-10", set()),
        ("2013-04-04", {"random_seed"}),
        ("2013-10-17", {"random_seed"}),
        ("2015-10-15", {"random_seed", "project_id"}),
        ("2016-06-30", {"random_seed", "project_id", "devices"}),
        ("2018-08-27", {"random_seed", "project_id", "devices"}),
        ("2020-10-14", {"random_seed", "project_id", "devices", "dedicated_cpus"}),
        ("latest", {"random_seed", "project_id", "devices", "dedicated_cpus"}),
    ],
)
def test_meta_data_grows_with_the_version(version: str, more: set[str]) -> None:
    plain = json.loads(get(f"/openstack/{version}/meta_data.json").body)
    always = {"uuid", "hostname", "name", "launch_index", "availability_zone", "meta", "public_keys", "keys"}
    assert plain.keys() == always | more


def test_meta_data_says_what_the_instance_is() -> None:
    plain = json.loads(get("/openstack/latest/meta_data.json").body)
    assert len(b64decode(plain.pop("random_seed"), validate=True)) == 512
    assert plain == {
        "uuid": world.UUID_A,
        "hostname": "web-1.demo.internal",
        "name": "web-1",
        "launch_index": 2,
        "availability_zone": "zone-a",
        "meta": {"role": "web"},
        "public_keys": {"me": world.KEY},
        "keys": [{"name": "me", "type": "ssh", "data": world.KEY}],
        "project_id": "demo",
        "devices": [],
        "dedicated_cpus": [],
    }


def test_the_random_seed_is_another_on_each_request() -> None:
    made = Desk(never)
    made.change(world.two_records().values(), ())
    asked = Request(world.ADDRESS_A, b"GET", b"/openstack/latest/meta_data.json")
    seeds = {json.loads(made.answer(asked).body)["random_seed"] for _ in range(3)}
    assert len(seeds) == 3


def test_network_data_says_what_fits_into_one_packet() -> None:
    nic = Interface(tap="t", mac="m", address="a", gateway="g", port_id="p", network_id="n", mtu=1450)
    assert [link["mtu"] for link in network_data((nic,))["links"]] == [1450]


def test_network_data_has_each_nic_by_dhcp() -> None:
    plain = json.loads(get("/openstack/2012-08-10/network_data.json").body)
    (link,), (network,) = plain["links"], plain["networks"]
    assert (link["id"], link["type"], link["mtu"]) == ("cs-0b1c2d3e0000", "phy", None)
    assert link["ethernet_mac_address"] == "52:54:00:aa:bb:01"
    assert link.keys() == {"id", "vif_id", "type", "mtu", "ethernet_mac_address"}
    assert (network["id"], network["type"], network["link"]) == ("network0", "ipv4_dhcp", link["id"])
    assert network.keys() == {"id", "type", "link", "network_id"}
    assert plain["services"] == [{"type": "dns", "address": "127.0.0.1"}]


def test_network_data_has_nics_of_several_networks_in_order() -> None:
    """Two on one network share its id and its resolver; the first one's domain and address are the instance's."""
    cards = (("front", "127.0.0.7"), ("back", "127.1.0.7"), ("front", "127.0.0.8"))
    nics = tuple(
        Nic(network=network, address=address, mac=f"52:54:00:00:00:0{at}", tap=f"cs-{at:012x}")
        for at, (network, address) in enumerate(cards)
    )
    back = replace(world.NETWORK, name="back", subnet="127.1.0.0/24", gateway="127.1.0.1", domain="back.internal")
    made = world.document(
        world.instance("legs", world.UUID_A, "127.0.0.7", nics=nics), networks={"front": world.NETWORK, "back": back}
    )
    desk = Desk(never)
    desk.change(records(made, {}).values(), ())

    def answer(source: str, path: bytes) -> bytes:
        return desk.answer(Request(source, b"GET", path)).body

    plain = json.loads(answer("127.1.0.7", b"/openstack/latest/network_data.json"))
    assert [link["ethernet_mac_address"] for link in plain["links"]] == [nic.mac for nic in nics]
    assert [one["link"] for one in plain["networks"]] == [link["id"] for link in plain["links"]]
    assert [one["id"] for one in plain["networks"]] == ["network0", "network1", "network2"]
    first, second, third = (one["network_id"] for one in plain["networks"])
    assert first == third != second
    assert len({link["vif_id"] for link in plain["links"]}) == 3
    assert [one["address"] for one in plain["services"]] == ["127.0.0.1", "127.1.0.1"]
    for source in ("127.0.0.7", "127.1.0.7", "127.0.0.8"):
        assert answer(source, b"/latest/meta-data/local-ipv4") == b"127.0.0.7"
        assert answer(source, b"/latest/meta-data/local-hostname") == b"legs.demo.internal"


def test_vendor_data_is_a_cloud_config_that_asks_for_reports_and_a_script() -> None:
    whole = message_from_string(json.loads(get("/openstack/latest/vendor_data.json").body)["cloud-init"])
    parts = [part for part in whole.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts] == ["text/cloud-config", "text/x-shellscript"]
    first, _, rest = parts[0].as_string().partition("\n\n")[2].partition("\n")
    plain = json.loads(rest)
    assert first == "#cloud-config"
    assert plain["phone_home"]["url"] == "http://169.254.169.254/cloudsync/phone-home"
    assert plain["reporting"]["cloudsync"]["endpoint"] == "http://169.254.169.254/cloudsync/report"


def test_the_script_that_guests_run_is_one_for_any_shell(tmp_path: Path) -> None:
    """Where it has nothing to do it says nothing and does not fail."""
    script = tmp_path / "script"
    script.write_text(vendor.SCRIPT.replace("/etc/udev", str(tmp_path / "nowhere")))
    subprocess.run(["sh", "-n", script], check=True)
    assert subprocess.run(["sh", script], capture_output=True, check=True).stdout == b""
    body = re.search(r"b'({.*})'", vendor.SCRIPT)
    assert body
    assert read_event(body[1].encode()) == Event(vendor.GROWS, "SUCCESS")
