"""Documents as a controller sends them."""

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

from cloudsync.model.document import Applied, Entry, HostDocument
from cloudsync.model.resources import Digest, Direction, Group, Instance, Keypair, Network, Nic, Rule

USER_DATA = b"#cloud-config\npassword: the-secret-word\n"
DIGEST = sha256(USER_DATA).hexdigest()
UUID = "11111111-2222-4333-8444-555555555555"
IMAGE = "ab" * 32
NETWORK = Network(name="default", subnet="10.20.0.0/16", gateway="10.20.0.1", domain="demo.internal", dns=("9.9.9.9",))
GROUP = Group(
    name="default",
    rules=(
        Rule(direction=Direction.EGRESS),
        Rule(direction=Direction.INGRESS, protocol="tcp", ports=(22, 22), remote="group.default"),
        Rule(direction=Direction.INGRESS, protocol="icmp", icmp=(8, None), remote="192.0.2.0/24"),
        Rule(direction=Direction.INGRESS, protocol="47", remote="network.default"),
    ),
)
NIC = Nic(network="default", address="10.20.0.7", mac="52:54:00:00:00:07", tap="cs-0123456789ab")


def instance(name: str = "web", **changes: object) -> Instance:
    plain = Instance(
        name=name,
        uuid=UUID,
        incarnation=0,
        host="kvm-1",
        image=IMAGE,
        image_name="debian-12",
        flavor="small",
        vcpus=1,
        memory=512 << 20,
        disk=4 << 30,
        nics=(NIC,),
        groups=("default",),
        keypairs=("alice",),
        user_data=Digest(sha256=DIGEST, size=len(USER_DATA)),
        metadata={"role": "web"},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def document(generation: int = 1, **changes: object) -> HostDocument:
    plain = HostDocument(
        cloud="demo",
        host="kvm-1",
        generation=generation,
        applied=Applied(commit="c0ffee", by="alice@laptop", at="2026-01-02T03:04:05Z"),
        uplink="eth0",
        infra=("198.51.100.11", "198.51.100.0/24"),
        keypairs={"alice": Keypair(name="alice", public_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 alice@laptop")},
        groups={"default": GROUP},
        networks={"default": NETWORK},
        instances={"web": instance()},
        members={"group.default": ("10.20.0.7",)},
        directory={"web": Entry(uuid=UUID, host="kvm-1", addresses=("10.20.0.7",))},
        user_data={DIGEST: b64encode(USER_DATA).decode()},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def empty(generation: int, cloud: str = "demo", host: str = "kvm-1") -> HostDocument:
    """What `destroy` leaves."""
    return HostDocument(cloud=cloud, host=host, generation=generation)
