"""A Record into what stands below /VERSION in the EC2 style: one page for each value and each folder. Pure.

cloud-init walks all of `/latest/meta-data/` and retries whatever a listing names and does not exist, so listings are
made from the values themselves.
"""

from collections import defaultdict
from hashlib import sha256

from cloudsync.agent.metadata import versions
from cloudsync.agent.metadata.page import TEXT, Page, page
from cloudsync.agent.metadata.record import Record

LISTING = "\n".join([*versions.EC2, versions.LATEST]).encode()
_KEYS = "meta-data/public-keys"


def pages(record: Record, version: str) -> dict[str, Page]:
    """By path below the version; folders are their listings. `version` is one of versions.EC2."""
    values = {f"meta-data/{key}": value.encode() for key, value in meta_data(record, version).items()}
    if record.user_data is not None:
        values["user-data"] = record.user_data
    texts = {**_folders(values), **values}
    if _KEYS in texts:
        texts[_KEYS] = "\n".join(f"{index}={name}" for index, (name, _) in enumerate(record.keys)).encode()
    return {path: page(text, TEXT) for path, text in texts.items()}


def meta_data(record: Record, version: str) -> dict[str, str]:
    """Values by path below meta-data/. None is the word None, as in Nova."""
    found = {
        "ami-id": f"ami-{record.image}",
        "ami-launch-index": str(record.launch_index),
        "ami-manifest-path": "FIXME",
        "instance-id": short_id(record),
        "hostname": record.hostname,
        "local-ipv4": record.addresses[0] if record.addresses else "",
        "reservation-id": "r-" + sha256(record.uuid.encode()).hexdigest()[:8],
        "security-groups": "\n".join(record.groups),
    }
    for index, (_, line) in enumerate(record.keys):
        found[f"public-keys/{index}/openssh-key"] = line
    if version >= "2007-01-19":
        found |= {"local-hostname": record.hostname, "public-hostname": record.hostname, "public-ipv4": record.floating}
    if version >= "2007-08-29":
        found["instance-type"] = record.flavor
    if version >= "2007-12-15":
        # The root disk is the domain's virtio `vda`.
        found |= {"block-device-mapping/ami": "vda", "block-device-mapping/root": "/dev/vda"}
    if version >= "2008-02-01":
        found["placement/availability-zone"] = str(record.zone)
    if version >= "2008-09-01":
        found["instance-action"] = "none"
    return found


def short_id(record: Record) -> str:
    """EC2's instance-id. Not what cloud-init calls the instance-id on OpenStack: that is the uuid."""
    return f"i-{record.uuid[:8]}"


def _folders(values: dict[str, bytes]) -> dict[str, bytes]:
    """Names sorted, folders with a trailing slash, joined by LF, none at the end."""
    children: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for path in values:
        parts = path.split("/")
        for depth, name in enumerate(parts):
            slash = "" if depth == len(parts) - 1 else "/"
            children["/".join(parts[:depth])][name] = name + slash
    return {path: "\n".join(names[name] for name in sorted(names)).encode() for path, names in children.items()}
