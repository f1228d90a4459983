"""A Record into what stands below /openstack/VERSION, as Nova has it. Pure; called by site.py.

random_seed is not in the page: it is spliced in for each request, because no two answers may have the same.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from cloudsync.agent.metadata import vendor, versions
from cloudsync.agent.metadata.page import JSON, TEXT, Page, page
from cloudsync.agent.metadata.record import Interface, Record

META_DATA = "meta_data.json"
PASSWORD = "password"  # noqa: S105 (a file's name)
SEED_BYTES = 512


def listed(today: str) -> bytes:
    """`/openstack`. Versions dated after `today` (ISO) are hidden, but answered when asked for by name."""
    shown = [version for version in versions.OPENSTACK if version <= today]
    return "\n".join([*shown, versions.LATEST]).encode()


def pages(record: Record, version: str) -> dict[str, Page]:
    """By path below the version; the listing is "". `version` is one of versions.OPENSTACK."""
    found = dict(_files(record, version))
    # The listing is older than the rule that Nova answers network_data.json for every version.
    names = [name for name in found if name != "network_data.json" or version >= versions.LIBERTY]
    if version >= versions.GRIZZLY:
        names.insert(2 if "user_data" in found else 1, PASSWORD)
    listing = page("\n".join(names).encode(), TEXT)
    return {"": listing, "version": listing, **found}


def seeded(body: bytes, entropy: bytes) -> bytes:
    """`body`, a non-empty JSON object, with random_seed as its last member."""
    return b'%b, "random_seed": "%b"}' % (body[:-1], b64encode(entropy))


def _files(record: Record, version: str) -> Iterator[tuple[str, Page]]:
    """In the order of Nova's listing. Absent is not empty: cloud-init fails on an empty JSON file."""
    yield META_DATA, _json(meta_data(record, version), JSON)
    if record.user_data is not None:
        yield "user_data", page(record.user_data, TEXT)
    if version >= versions.HAVANA:
        yield "vendor_data.json", _json({"cloud-init": vendor.VENDOR_DATA}, JSON)
    if record.interfaces:
        yield "network_data.json", _json(network_data(record.interfaces), TEXT)
    if version >= versions.NEWTON_TWO:
        yield "vendor_data2.json", _json({"static": {}}, JSON)


def meta_data(record: Record, version: str) -> dict[str, Any]:
    """Everything but random_seed."""
    found: dict[str, Any] = {
        "uuid": record.uuid,
        "hostname": record.hostname,
        "name": record.name,
        "launch_index": record.launch_index,
        "availability_zone": record.zone,
    }
    if record.meta:
        found["meta"] = dict(record.meta)
    if record.keys:
        found["public_keys"] = dict(record.keys)
        found["keys"] = [{"name": name, "type": "ssh", "data": line} for name, line in record.keys]
    if version >= versions.LIBERTY:
        found["project_id"] = record.project
    if version >= versions.NEWTON_ONE:
        found["devices"] = []
    if version >= versions.VICTORIA:
        found["dedicated_cpus"] = []
    return found


def network_data(interfaces: tuple[Interface, ...]) -> dict[str, Any]:
    """Each NIC by DHCP. Type `phy` is the one that cloud-init, cloudbase-init and others all know."""
    links = [
        {"id": nic.tap, "vif_id": nic.port_id, "type": "phy", "mtu": nic.mtu, "ethernet_mac_address": nic.mac}
        for nic in interfaces
    ]
    networks = [
        {"id": f"network{index}", "type": "ipv4_dhcp", "link": nic.tap, "network_id": nic.network_id}
        for index, nic in enumerate(interfaces)
    ]
    resolvers = dict.fromkeys(nic.gateway for nic in interfaces)
    services = [{"type": "dns", "address": address} for address in resolvers]
    return {"links": links, "networks": networks, "services": services}


def _json(value: dict[str, Any], kind: str) -> Page:
    return page(json.dumps(value).encode(), kind)
