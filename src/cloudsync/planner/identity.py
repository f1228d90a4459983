"""Names that machines go by: UUID, tap and MAC, each derived so that everybody derives the same."""

from collections.abc import Container
from hashlib import sha256
from uuid import UUID


def uuid_of(cloud: str, name: str, incarnation: int, taken: Container[str]) -> str:
    """A version-4-shaped UUID that is in no other use.

    A first group that starts with `ec2` or ends in `2?ec` is passed over: cloud-init's ds-identify would take the
    guest for one of Amazon's.
    """
    salt = 0
    while True:
        digest = sha256(f"{cloud}/{name}/{incarnation}/{salt}".encode()).digest()
        found = str(UUID(bytes=digest[:16], version=4))
        first = found.partition("-")[0]
        if found not in taken and not first.startswith("ec2") and not (first[-4] == "2" and first.endswith("ec")):
            return found
        salt += 1


def tap_and_mac(uuid: str, index: int, taken: Container[str] = ()) -> tuple[str, str]:
    """The host's device (15 characters, the kernel's limit) and the guest's MAC of one NIC.

    Three bytes of a MAC are ours to choose: among 5,000 NICs two are likely to meet, so `taken` ones are passed over.
    """
    digest = sha256(f"{uuid}/{index}".encode()).digest()
    macs = ("52:54:00:" + digest[at : at + 3].hex(":") for at in range(6, len(digest) - 2))
    return f"cs-{digest.hex()[:12]}", next(mac for mac in macs if mac not in taken)
