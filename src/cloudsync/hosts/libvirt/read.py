"""Sizes, names and network cards out of a domain's XML, whatever somebody else wrote there. Pure; for domain_xml.py."""

from xml.etree import ElementTree as ET

from cloudsync.model.snapshot import Usage

_UNITS = {"b": 1, "bytes": 1, "KiB": 1 << 10, "k": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def text(domain: ET.Element, tag: str) -> str:
    return (domain.findtext(tag) or "").strip()


def number(words: str | None) -> int:
    """0 for what is missing or no number: somebody else may have edited it."""
    return int(words) if words and words.isascii() and words.isdigit() else 0


def usage(domain: ET.Element) -> Usage:
    """Of vCPUs all that it may come to have: somebody else decides when."""
    return Usage(vcpus=number(text(domain, "vcpu")), memory=_size(domain.find("memory")))


def _size(element: ET.Element | None) -> int:
    return 0 if element is None else number(element.text) * _UNITS.get(element.get("unit", "KiB"), 1 << 10)


def most_memory(domain: ET.Element, memory: int) -> int:
    """`memory` when there is no place left to put any."""
    most = domain.find("maxMemory")
    full = most is None or len(domain.findall("devices/memory")) >= number(most.get("slots"))
    return memory if full else _size(most)


def attribute(element: ET.Element, path: str, name: str) -> str:
    """Empty when it is not there."""
    found = element.find(path)
    return "" if found is None else found.get(name, "")


def nic(interface: ET.Element) -> tuple[str, str, str]:
    places = (("target", "dev"), ("mac", "address"), ("source/ip", "peer"))
    tap, mac, address = (attribute(interface, path, name) for path, name in places)
    return tap, mac, address
