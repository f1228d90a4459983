"""The whole language in one file: every key of it is understood, and exactly what is not carried out yet is refused."""

from pathlib import Path

import pytest

from cloudsync.model.cloud import Cloud, Overcommit, WantedDisk, Where
from cloudsync.model.resources import Direction, Power, Rule
from cloudsync.model.snapshot import HostStatus, Usage
from cloudsync.spec.load import load

EXAMPLE = Path(__file__).parent / "example.yaml"
IN = Direction.INGRESS
OUT = Direction.EGRESS


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    return load(EXAMPLE)


def test_nothing_of_it_is_refused(cloud: Cloud) -> None:
    assert load(EXAMPLE) == cloud


def test_header(cloud: Cloud) -> None:
    assert (cloud.name, cloud.fabric, cloud.repair) == ("demo", "direct", False)
    assert cloud.scheduler.strategy == "spread"
    weights = {"memory": 1.0, "vcpus": 1.0, "disk": 0.5, "image_present": 0.5, "soft_affinity": 1.0, "moves": 1.0}
    assert cloud.scheduler.weights == weights
    assert cloud.path == str(EXAMPLE)
    assert len(cloud.digest) == 64


def test_hosts(cloud: Cloud) -> None:
    host = cloud.hosts["kvm-1"]
    assert (host.uri, host.ssh, host.address, host.virt) == ("qemu:///system", None, "198.51.100.11", "auto")
    assert (host.zone, host.labels, host.uplink, host.state) == ("rack-a", {"disk": "nvme"}, "eth0", HostStatus.READY)
    assert host.overcommit == Overcommit(vcpus=4.0, memory=1.0, disk=1.0)
    assert host.reserved == Usage(memory=1 << 30, disk=20 << 30)
    assert cloud.hosts["kvm-2"].reserved == Usage(memory=512 << 20)


def test_images_and_networks(cloud: Cloud) -> None:
    image = cloud.images["debian-12"]
    assert image.source == "https://example.org/debian-12-genericcloud-amd64.qcow2"
    assert image.sha256.startswith("0f3c3b5a4ad0")
    assert (image.format, image.arch, image.login) == ("qcow2", "x86_64", "debian")
    assert (image.min_disk, image.min_memory) == (3 << 30, 256 << 20)
    network = cloud.networks["default"]
    assert (network.subnet, network.gateway, network.dns) == ("10.20.0.0/16", "10.20.0.1", ("9.9.9.9",))
    assert (network.nat, network.domain) == (True, "demo.internal")


def test_groups(cloud: Cloud) -> None:
    everything = Rule(direction=OUT)
    assert cloud.groups["default"].rules == (everything, Rule(direction=IN, remote="group.default"))
    assert cloud.groups["admin"].rules == (everything,)
    web = cloud.groups["web"]
    assert (web.description, web.log_denied) == ("public web servers", True)
    assert set(web.rules) == {
        everything,
        Rule(direction=IN, protocol="tcp", ports=(80, 80)),
        Rule(direction=IN, protocol="tcp", ports=(443, 443)),
        Rule(direction=IN, protocol="tcp", ports=(8000, 8010), remote="192.0.2.0/24"),
        Rule(direction=IN, protocol="icmp", icmp=(8, None)),
        Rule(direction=IN, protocol="tcp", ports=(22, 22), remote="group.admin"),
    }
    assert set(cloud.groups["db"].rules) == {
        Rule(direction=IN, protocol="tcp", ports=(5432, 5432), remote="group.web"),
        Rule(direction=OUT, protocol="udp", ports=(123, 123), remote="192.0.2.0/24"),
    }


def test_instances(cloud: Cloud) -> None:
    assert list(cloud.instances) == ["web-1", "web-2", "web-3", "db"]
    web = cloud.instances["web-2"]
    assert (web.base, web.index, web.was) == ("web", 2, ())
    assert cloud.instances["web-1"].was == ("web",)
    assert (web.image, web.flavor.name, web.flavor.memory) == ("debian-12", "small", 512 << 20)
    assert [nic.network for nic in web.nics] == ["default"]
    assert (web.keypairs, web.groups) == (("alice", "ci"), ("default", "web"))
    assert web.where == Where(zone="rack-a", labels={"disk": "nvme"}, group="web-spread")
    assert web.user_data == (EXAMPLE.parent / "web.cloud-config.yaml").read_bytes()
    assert web.metadata == {"role": "web"}
    assert web.floating == "203.0.113.11"
    db = cloud.instances["db"]
    assert (db.index, db.was, db.protect, db.state) == (0, ("database", "db-1"), True, Power.RUNNING)
    assert db.floating is None
    assert db.disks == (WantedDisk(name="data", size=100 << 30),)
    assert db.takes.disk == db.flavor.disk + (100 << 30)
    assert db.user_data == b"#cloud-config\npackages: [postgresql]\n"
    assert "postgresql" not in repr(db)


def test_the_rest(cloud: Cloud) -> None:
    group = cloud.placement_groups["web-spread"]
    assert (group.policy, group.max_per_host) == ("anti-affinity", 1)
    assert cloud.keypairs["ci"].public_key == (EXAMPLE.parent / "keys/ci.pub").read_text().strip()
    lines = {address: place.line for address, place in cloud.places.items() if "/" not in address}
    assert lines == {
        "host.kvm-1": 10,
        "host.kvm-2": 21,
        "host.kvm-3": 22,
        "image.debian-12": 25,
        "network.default": 35,
        "keypair.alice": 47,
        "keypair.ci": 48,
        "group.default": 51,
        "group.web": 52,
        "group.db": 60,
        "group.admin": 65,
        "instance.web": 71,
        "instance.web-1": 71,
        "instance.web-2": 71,
        "instance.web-3": 71,
        "instance.db": 84,
    }


def test_rules_and_expectations_have_places(cloud: Cloud) -> None:
    text = EXAMPLE.read_text().splitlines()
    for key, words in (
        ("group.web/ingress/3", "group.admin"),
        ("group.db/egress/0", "123"),
        ("expect/1", "allow:"),
        ("host.kvm-1/address", "address:"),
    ):
        assert words in text[cloud.places[key].line - 1], key
    assert dict(cloud.written["web"])["group.web/ingress/3"].remote == "group.admin"
    assert [key for key, _ in cloud.written["web"]].count("group.web/ingress/0") == 2
    assert cloud.written["default"] == (
        ("group.default/egress", Rule(direction=OUT)),
        ("group.default/ingress", Rule(direction=IN, remote="group.default")),
    )
    assert [(one.allow, one.source, one.target, one.port) for one in cloud.expectations] == [
        (False, "internet", "group.db", None),
        (True, "group.web", "group.db", 5432),
    ]
