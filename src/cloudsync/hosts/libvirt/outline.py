"""A domain's XML in a few words, part by part: what we wrote is kept beside our mark, so that it shows what somebody
else has changed since. Pure; called by domain_xml.py (writing) and traces.py (comparing).

libvirt adds to what it is given, more with each version: only what is named here is looked at.
"""

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from cloudsync.hosts.libvirt.read import attribute
from cloudsync.model.size import size
from cloudsync.model.snapshot import Machine

VERSION = "1"
"""What another version wrote down is not compared."""

Outline = Mapping[str, str]
"""By part of the machine, `key=value` words."""

ROOT = "disk vda"
"""The only one of the disks: data disks come and go while it runs, and are told apart from what is not its own."""

PLAIN = frozenset({"type", "topology"})
"""Parts that tell nothing about a running machine: it may have grown since it was started, or come from elsewhere."""

SIZES = frozenset({"vcpus", "memory", "cards"})
"""Parts that a plan compares by itself where it runs with them."""

_TUNES = ("cputune", "memtune", "blkiotune", "numatune", "memoryBacking", "launchSecurity", "iothreads")
_COMMAND = "{http://libvirt.org/schemas/domain/qemu/1.0}commandline"
_OF_LIBVIRT = {
    "emulator": "",
    "memory": "",
    "audio": "type=none",
    "input": "bus=ps2",
    "console": "type=serial",
    "watchdog": "model=itco",
}
"""Devices that libvirt has by itself, by the word that tells such a one from others; memory is counted, not listed."""


def sizes(machine: Machine) -> dict[str, str]:
    """What a plan knows of a machine by itself."""
    cards = ", ".join(" ".join(nic) for nic in machine.nics)
    return {"vcpus": str(machine.vcpus), "memory": size(machine.memory), "cards": cards or "none"}


def noted(parent: ET.Element, namespace: str, parts: Outline) -> None:
    """Put `parts` into our mark; without a namespace where libvirt gives it one."""
    space = f"{{{namespace}}}" if namespace else ""
    written = ET.SubElement(parent, f"{space}written", {"version": VERSION})
    for name, words in parts.items():
        ET.SubElement(written, f"{space}part", {"name": name}).text = words


def notes(parent: ET.Element, namespace: str) -> Outline | None:
    """What was put there; None when there is nothing to compare with."""
    written = parent.find(f"{{{namespace}}}written")
    if written is None or written.get("version") != VERSION:
        return None
    return {part.get("name", ""): (part.text or "").strip() for part in written}


def outline(domain: ET.Element) -> dict[str, str]:
    """Every part by its name; what nobody wrote has none."""
    parts = {
        "type": domain.get("type", ""),
        "machine": _machine(domain),
        "boot": " ".join(_flat(child) for child in domain.find("os") or () if child.tag not in ("type", "smbios")),
        "sysinfo": " ".join(
            f"{one.get('name')}={one.text}"
            for one in domain.findall("sysinfo/system/entry")
            if one.get("name") != "version"
        ),
        "features": " ".join(sorted(child.tag for child in domain.find("features") or ())),
        "cpu": _cpu(domain),
        "topology": _words(domain.find("cpu/topology"), "sockets", "dies", "cores", "threads"),
        **{tag: domain.findtext(tag) or "" for tag in ("on_poweroff", "on_reboot", "on_crash")},
        **{tag: _flat(found) for tag in _TUNES if (found := domain.find(tag)) is not None},
        "qemu": _flat(found) if (found := domain.find(_COMMAND)) is not None else "",
        **dict(_devices(domain)),
    }
    return {name: text for name, text in parts.items() if text}


def _machine(domain: ET.Element) -> str:
    """The kind of board: libvirt makes `q35` the newest that QEMU has, and keeps that."""
    kind = domain.find("os/type")
    board = "" if kind is None else kind.get("machine", "")
    return "q35" if "q35" in board else board


def _cpu(domain: ET.Element) -> str:
    cpu = domain.find("cpu")
    if cpu is None:
        return ""
    words = [cpu.get("mode", "custom"), (cpu.findtext("model") or "").strip()]
    words += sorted(f"{one.get('policy', 'require')}={one.get('name')}" for one in cpu.findall("feature"))
    return " ".join(word for word in words if word)


def _devices(domain: ET.Element) -> Iterator[tuple[str, str]]:
    counts: dict[str, int] = {}
    for device in domain.find("devices") or ():
        words = _device(device)
        if words is None:
            continue
        name = _NAMES.get(device.tag, device.tag)
        target = device.find("target")
        if device.tag == "disk":
            if target is not None and target.get("dev") == "vda":
                yield ROOT, words
            continue
        counts[name] = counts.get(name, 0) + 1
        yield f"{name} {counts[name]}", words


_NAMES = {"interface": "network card", "controller": "usb controller", "hostdev": "host device", "rng": "rng"}


def _device(device: ET.Element) -> str | None:
    """None for one that libvirt has by itself."""
    if device.tag == "controller":
        return f"model={device.get('model')}" if device.get("type") == "usb" else None
    if device.tag == "console":
        words = f"type={attribute(device, 'target', 'type')}"
    elif device.tag == "interface":
        words = _interface(device)
    elif device.tag == "disk":
        words = _disk(device)
    else:
        words = _other(device)
    usual = _OF_LIBVIRT.get(device.tag)
    return None if usual is not None and usual in words else words


def _disk(disk: ET.Element) -> str:
    source = disk.find("source")
    where = "" if source is None else next((source.get(key, "") for key in _WHERE if source.get(key)), "")
    driver = disk.find("driver")
    known = {
        "device": disk.get("device", "disk"),
        "source": where,
        **{key: "" if driver is None else driver.get(key, "") for key in ("type", "cache", "io", "discard")},
        "bus": attribute(disk, "target", "bus"),
        "boot": attribute(disk, "boot", "order"),
        "readonly": "" if disk.find("readonly") is None else "yes",
    }
    return _joined(known)


_WHERE = ("file", "dev", "dir", "name", "volume")


def _interface(interface: ET.Element) -> str:
    known = {
        "type": interface.get("type", ""),
        "source": next((attribute(interface, "source", key) for key in ("bridge", "network", "dev")), ""),
        "gateway": attribute(interface, "source/ip", "address"),
        "model": attribute(interface, "model", "type"),
        "mtu": attribute(interface, "mtu", "size"),
        "rom": attribute(interface, "rom", "enabled"),
        "boot": attribute(interface, "boot", "order"),
        "link": attribute(interface, "link", "state"),
        "filter": attribute(interface, "filterref", "filter"),
    }
    return _joined(known)


def _other(device: ET.Element) -> str:
    """Enough to tell what it is: no runtime values such as ports and paths of terminals."""
    source = device.find("source")
    known = {
        **{key: device.get(key, "") for key in ("mode", "type", "model", "bus")},
        "model": device.get("model") or attribute(device, "model", "type") or attribute(device, "model", "name"),
        "target": attribute(device, "target", "name")
        or attribute(device, "target", "dir")
        or attribute(device, "target", "type"),
        "backend": (device.findtext("backend") or "").strip(),
        "log": attribute(device, "log", "file"),
        "source": "" if device.tag in ("serial", "console") or source is None else _flat(source),
    }
    return _joined(known)


def _joined(known: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in known.items() if value)


def _words(element: ET.Element | None, *names: str) -> str:
    return "" if element is None else _joined({name: element.get(name, "") for name in names})


def _flat(element: ET.Element) -> str:
    """The whole of it in one line."""
    tag = element.tag.rpartition("}")[2]
    text = (element.text or "").strip()
    own = [f"{tag}={text}" if text else tag, *(f"{name}={value}" for name, value in sorted(element.attrib.items()))]
    return " ".join([*own, *(_flat(child) for child in element if child.tag not in ("alias", "seclabel"))])
