"""Data disks in a domain's XML: written as devices and into our mark, and read back. Pure.

Called by domain_xml.py and data_disk.py. What stands in the mark is the instance's own; all else somebody attached.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

from cloudsync.hosts.libvirt.read import attribute
from cloudsync.model.resources import MOST_DISKS, DataDisk

_PORT = "pcie-root-port"
_OTHERS = 3
"""Devices besides network cards and data disks that take a place: root disk, balloon, random numbers."""

_VOLUME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.data\.qcow2")
_MARKED = re.compile(r"([a-z0-9-]{1,63}):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def data_disk(disk: str) -> str:
    """A data disk's volume name."""
    return f"{disk}.data.qcow2"


def device(disk: DataDisk, pool: str, name: str) -> ET.Element:
    """The guest finds it by its serial number, whatever it calls it. It stands on nothing."""
    element = ET.Element("disk", type="file", device="disk")
    ET.SubElement(element, "driver", name="qemu", type="qcow2", cache="writeback", discard="unmap")
    ET.SubElement(element, "source", file=f"{pool}/{data_disk(disk.id)}")
    ET.SubElement(element, "backingStore")
    ET.SubElement(element, "target", dev=name, bus="virtio")
    ET.SubElement(element, "serial").text = disk.name
    return element


def name_of(index: int) -> str:
    """`vda` is the root disk."""
    return f"vd{chr(ord('a') + index)}"


def free_name(text: str) -> str:
    """One that no device of the domain has; what the guest calls it is its own business."""
    taken = {target.get("dev") for target in ET.fromstring(text).iter("target")}
    return next(name for index in range(1, 26) if (name := name_of(index)) not in taken)


def attached(text: str) -> dict[str, str]:
    """The domain's name of each data disk that it has, by id."""
    return attached_to(ET.fromstring(text))


def attached_to(domain: ET.Element) -> dict[str, str]:
    return {disk: attribute(element, "target", "dev") for disk, element in _volumes(domain)}


def device_of(text: str, disk: str) -> str | None:
    """That disk's device as the domain has it; None when it has not."""
    found = (element for one, element in _volumes(ET.fromstring(text)) if one == disk)
    return next((ET.tostring(element, encoding="unicode") for element in found), None)


def strange(domain: ET.Element, known: Collection[str]) -> tuple[str, ...]:
    """Disks, with what is in them, that are none of the `known` volumes."""
    found = []
    for element in domain.findall("devices/disk"):
        source = element.find("source")
        path = "" if source is None else source.get("file") or source.get("dev") or source.get("name") or "something"
        if path and PurePosixPath(path).name not in known:
            found.append(f"{attribute(element, 'target', 'dev')} {path}")
    return tuple(found)


def ports(cards: int) -> list[ET.Element]:
    """Places for devices, so that every data disk that a machine may have finds one while it runs: libvirt itself
    leaves a single one free. Numbered first, network cards keep the names that guests give them."""
    count = MOST_DISKS + cards + _OTHERS
    root = ET.Element("controller", type="pci", index="0", model="pcie-root")
    return [root, *(ET.Element("controller", type="pci", index=str(at), model=_PORT) for at in range(1, count + 1))]


def free_ports(domain: ET.Element) -> int:
    """Places that are left, as many as there may be data disks at most."""
    found = domain.findall(f"devices/controller[@model='{_PORT}']")
    taken = {one.get("bus", "") for one in domain.iterfind("devices/*/address[@type='pci']")}
    return min(MOST_DISKS, sum(_bus(port) not in taken for port in found))


def _bus(port: ET.Element) -> str:
    index = port.get("index", "")
    return f"0x{int(index):02x}" if index.isascii() and index.isdigit() else ""


def to_mark(disks: Iterable[DataDisk]) -> str:
    return " ".join(f"{disk.name}:{disk.id}" for disk in disks)


def from_mark(text: str) -> tuple[DataDisk, ...]:
    """Sizes are for others to tell. What somebody wrote that is no disk is passed over: the ids name files."""
    found = (_MARKED.fullmatch(word) for word in text.split())
    return tuple(DataDisk(name=one[1], id=one[2], size=0) for one in found if one)


def _volumes(domain: ET.Element) -> Iterator[tuple[str, ET.Element]]:
    for element in domain.findall("devices/disk"):
        named = _VOLUME.fullmatch(PurePosixPath(attribute(element, "source", "file")).name)
        if named:
            yield named[1], element
