"""Host documents for these tests: guests are addresses of 127.0.0.0/8, so that a client can be any of them."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from cloudsync.agent.metadata.documents import records
from cloudsync.agent.metadata.record import Record
from cloudsync.model.document import Entry, HostDocument
from cloudsync.model.resources import Digest, Instance, Keypair, Network, Nic

UUID_A = "0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d"
UUID_B = "7a7a7a7a-1111-4222-8333-444444444444"
ADDRESS_A, ADDRESS_B, STRANGER = "127.0.0.2", "127.0.0.3", "127.0.0.99"
FLOATING = "203.0.113.10"
USER_DATA = b"#cloud-config\nsecret: of-a\n\x00\xff"
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xFXNXV4Bi6FhPpnlEZ8bF0n6aIqwJTKBq2qSBuVCb"
KEY = f"{ED25519} me@there"
SECURITY_KEY = (
    "sk-ssh-ed25519@openssh.com "
    + b64encode(
        b"\x00\x00\x00\x1ask-ssh-ed25519@openssh.com\x00\x00\x00\x20" + b"k" * 32 + b"\x00\x00\x00\x04ssh:"
    ).decode()
)
"""Sound, but no key of a host."""
NETWORK = Network(name="front", subnet="127.0.0.0/24", gateway="127.0.0.1", domain="demo.internal")


def digest(data: bytes) -> Digest:
    return Digest(sha256=sha256(data).hexdigest(), size=len(data))


def instance(name: str, uuid: str, address: str, **changes: object) -> Instance:
    made = Instance(
        name=name,
        uuid=uuid,
        incarnation=1,
        host="kvm-1",
        image="c0ffee00" + "0" * 56,
        image_name="debian-12",
        flavor="small",
        vcpus=1,
        memory=512 << 20,
        disk=2 << 30,
        nics=(Nic(network="front", address=address, mac="52:54:00:aa:bb:01", tap=f"cs-{uuid[:8]}0000"),),
        groups=("default",),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def document(*instances: Instance, user_data: tuple[bytes, ...] = (), **changes: object) -> HostDocument:
    made = HostDocument(
        cloud="demo",
        host="kvm-1",
        generation=1,
        networks={"front": NETWORK},
        keypairs={"me": Keypair(name="me", public_key=KEY)},
        instances={each.name: each for each in instances},
        user_data={digest(data).sha256: b64encode(data).decode() for data in user_data},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def full() -> Instance:
    """Has all that an instance can have."""
    plain = instance("web-1", UUID_A, ADDRESS_A)
    return replace(
        plain,
        nics=(replace(plain.nics[0], floating=FLOATING),),
        groups=("default", "web"),
        keypairs=("me",),
        user_data=digest(USER_DATA),
        metadata={"role": "web"},
        availability_zone="zone-a",
        launch_index=2,
    )


def bare() -> Instance:
    """Has nothing that can be left out."""
    return instance("db", UUID_B, ADDRESS_B, groups=())


def two() -> HostDocument:
    return document(full(), bare(), user_data=(USER_DATA,))


def two_records(passwords: Mapping[str, bytes] | None = None) -> dict[str, Record]:
    return records(two(), passwords or {})


def elsewhere(name: str, uuid: str, address: str, host: str) -> dict[str, Entry]:
    return {name: Entry(uuid=uuid, host=host, addresses=(address,))}
