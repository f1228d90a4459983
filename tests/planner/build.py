"""A small cloud in a few words, for tests that say what they change."""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from cloudsync.model.cloud import Cloud, Flavor, Host, Wanted, WantedNic
from cloudsync.model.resources import Direction, Group, Image, Keypair, Network, Rule
from cloudsync.model.snapshot import Usage

MIB, GIB = 1 << 20, 1 << 30
SMALL = Flavor(name="small", vcpus=1, memory=512 * MIB, disk=4 * GIB)
LARGE = Flavor(name="large", vcpus=4, memory=8 * GIB, disk=40 * GIB)
HTTPS = Rule(direction=Direction.INGRESS, protocol="tcp", ports=(443, 443))
ADMIN = Rule(direction=Direction.INGRESS, protocol="tcp", ports=(8443, 8443))
PEERS = Rule(direction=Direction.INGRESS, remote="group.default")
OUT = Rule(direction=Direction.EGRESS)


def group(name: str, *rules: Rule) -> Group:
    return Group(name=name, rules=tuple(sorted(rules, key=Rule.key)))


def image(name: str, content: str = "1") -> Image:
    digest = sha256(f"{name} {content}".encode()).hexdigest()
    return Image(name=name, sha256=digest, source=f"https://example.org/{name}.qcow2", format="qcow2")


def network(subnet: str = "10.20.0.0/24", gateway: str = "10.20.0.1", name: str = "default") -> Network:
    return Network(name=name, subnet=subnet, gateway=gateway, domain="demo.internal")


def instance(name: str, **fields: Any) -> Wanted:
    """`fields` are Wanted's; `address` is that of its only NIC."""
    nic = WantedNic(network="default", address=fields.pop("address", None))
    plain: dict[str, Any] = {"base": name, "image": "debian", "flavor": SMALL, "nics": (nic,)}
    return Wanted(**{"name": name, **plain, **fields})


def cloud(*wanted: Wanted, hosts: Iterable[Host | str] = ("kvm-1", "kvm-2"), **fields: Any) -> Cloud:
    """These instances on these hosts; everything else in a usual form unless `fields` (Cloud's) say so."""
    made = [Host(name=one, uri="sim:", reserved=Usage()) if isinstance(one, str) else one for one in hosts]
    usual: dict[str, Any] = {
        "images": {one.name: one for one in (image("debian"),)},
        "networks": {"default": network()},
        "keypairs": {"alice": Keypair(name="alice", public_key="ssh-ed25519 AAAAalice alice@laptop")},
        "groups": {one.name: one for one in (group("default", PEERS, OUT), group("web", HTTPS))},
        "instances": {one.name: one for one in wanted},
    }
    named = {one.name: one for one in made}
    return Cloud(name="demo", digest="d1", path="cloud.yaml", hosts=named, **{**usual, **fields})


def without(whole: Cloud, *names: str) -> Cloud:
    return replace(whole, instances={name: one for name, one in whole.instances.items() if name not in names})


def changed(whole: Cloud, name: str, **fields: Any) -> Cloud:
    """With one instance's fields replaced."""
    return replace(whole, instances={**whole.instances, name: replace(whole.instances[name], **fields)})
