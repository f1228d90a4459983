"""An Instance into libvirt's domain XML and back into a Machine, or into Foreign for what is not ours. Pure.

Called by domain.py (writing) and survey.py (reading). What libvirt adds by itself is passed over on the way back.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from xml.etree import ElementTree as ET

from cloudsync import __version__
from cloudsync.hosts.libvirt import disk_xml, read
from cloudsync.hosts.libvirt.outline import Outline, noted, notes, outline, sizes
from cloudsync.model.dataclass import dataclass
from cloudsync.model.growth import SLOTS
from cloudsync.model.resources import Instance, Nic, Power
from cloudsync.model.snapshot import Machine, Usage
from cloudsync.model.wire import digest

MARK = "urn:cloudsync:instance:1"
"""The namespace of our element in <metadata>: what carries it is ours."""

_PATH = f"metadata/{{{MARK}}}instance"
CONSOLE_LOG = "/var/log/libvirt/qemu/cloudsync-{uuid}.log"

ET.register_namespace("cloudsync", MARK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the host adds to an instance: `virt` is kvm or qemu, `pool` the folder of disks and images.

    `gateways` maps each network of the instance to its gateway; `image_format` is qcow2 or raw.
    `most` is what it may grow to while it runs.
    """

    cloud: str
    generation: int
    gateways: Mapping[str, str]
    virt: str
    image_format: str
    pool: str
    most: Usage = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A domain without our mark; `usage.disk` is not in the XML and stays 0.

    `copy_of` is the instance that it was copied from, mark and all, of `cloud`; empty for all others.
    """

    uuid: str
    name: str
    usage: Usage
    copy_of: str = ""
    cloud: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A domain with our mark. `power` and `autostart` are not in the XML: the caller knows them.

    `written` is what we noted of it when it was written, None where an older version did; `element` is all of it.
    """

    machine: Machine
    image_format: str
    written: Outline | None = None
    element: ET.Element = field(default_factory=lambda: ET.Element("domain"), repr=False, compare=False)


def root_disk(uuid: str) -> str:
    """The root disk's volume name."""
    return f"{uuid}.root.qcow2"


def image_volume(sha256: str) -> str:
    return f"image-{sha256}"


def to_xml(instance: Instance, site: Site) -> str:
    """The domain of `instance` on this host."""
    domain = ET.Element("domain", type=site.virt)
    _add(domain, "name", instance.name)
    _add(domain, "uuid", instance.uuid)
    domain.append(_metadata(instance, site))
    if site.most.memory > instance.memory:
        _add(domain, "maxMemory", str(site.most.memory), slots=str(SLOTS), unit="b")
    _add(domain, "memory", str(instance.memory), unit="b")
    vcpus = max(instance.vcpus, site.most.vcpus)
    _add(domain, "vcpu", str(vcpus), placement="static", current=str(instance.vcpus))
    system = _add(domain, "os")
    _add(system, "type", "hvm", arch="x86_64", machine="q35")
    _add(system, "smbios", mode="sysinfo")
    domain.append(_sysinfo(instance.uuid))
    features = _add(domain, "features")
    _add(features, "acpi")
    _add(features, "apic")
    domain.append(_cpu(vcpus, instance.memory, site))
    _add(domain, "clock", offset="utc")
    _add(domain, "on_poweroff", "destroy")
    _add(domain, "on_reboot", "restart")
    _add(domain, "on_crash", "restart")
    domain.append(_devices(instance, site))
    for mark in domain.findall(_PATH):
        noted(mark, MARK, {**outline(domain), **sizes(_machine(domain, mark))})
    return ET.tostring(domain, encoding="unicode")


def from_xml(text: str, *, power: Power = Power.STOPPED, autostart: bool = True) -> Ours | Foreign:
    """What libvirt says about one domain (running or not). Raise ValueError when it is not a domain's XML."""
    try:
        domain = ET.fromstring(text)
    except ET.ParseError as error:
        raise ValueError(f"not XML: {error}") from error
    mark = domain.find(_PATH)
    if mark is None or not (mark.get("cloud") and mark.get("image")):
        return Foreign(uuid=read.text(domain, "uuid"), name=read.text(domain, "name"), usage=read.usage(domain))
    machine = _machine(domain, mark)
    if mark.get("uuid", machine.uuid) != machine.uuid:
        usage = Usage(vcpus=machine.vcpus, memory=machine.memory)
        return Foreign(
            uuid=machine.uuid, name=machine.name, usage=usage, copy_of=mark.get("name", ""), cloud=machine.cloud
        )
    return Ours(
        machine=replace(machine, power=power, autostart=autostart),
        image_format=mark.get("format", "qcow2"),
        written=notes(mark, MARK),
        element=domain,
    )


def _machine(domain: ET.Element, mark: ET.Element) -> Machine:
    usage, uuid, disks = read.usage(domain), read.text(domain, "uuid"), disk_xml.from_mark(mark.get("disks", ""))
    current = domain.find("vcpu[@current]")
    return Machine(
        uuid=uuid,
        name=read.text(domain, "name"),
        cloud=mark.get("cloud", ""),
        image=mark.get("image", ""),
        vcpus=usage.vcpus if current is None else read.number(current.get("current")),
        memory=usage.memory,
        disk=read.number(mark.get("disk")),
        nics=tuple(read.nic(nic) for nic in domain.findall("devices/interface")),
        power=Power.STOPPED,
        generation=read.number(mark.get("generation")),
        max_vcpus=read.number(read.text(domain, "vcpu")),
        max_memory=read.most_memory(domain, usage.memory),
        disks=disks,
        attached=frozenset(disk_xml.attached_to(domain)),
        ports=disk_xml.free_ports(domain),
        strange=disk_xml.strange(domain, {root_disk(uuid), *(disk_xml.data_disk(disk.id) for disk in disks)}),
    )


def mark_of(instance: Instance, site: Site, written: Outline | None) -> str:
    """Our element alone, with the notes that it has: libvirt puts it into our namespace."""
    mark = ET.Element("instance", _mark(instance, site))
    if written is not None:
        noted(mark, "", written)
    return ET.tostring(mark, encoding="unicode")


def more_memory(size: int) -> str:
    """The device that brings a running machine `size` bytes more."""
    memory = ET.Element("memory", model="dimm")
    target = _add(memory, "target")
    _add(target, "size", str(size), unit="b")
    _add(target, "node", "0")
    return ET.tostring(memory, encoding="unicode")


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child


def _metadata(instance: Instance, site: Site) -> ET.Element:
    metadata = ET.Element("metadata")
    _add(metadata, f"{{{MARK}}}instance", **_mark(instance, site))
    return metadata


def _mark(instance: Instance, site: Site) -> dict[str, str]:
    """Unprivileged users may read libvirt's XML: no user-data, no keys here."""
    found = {
        "cloud": site.cloud,
        "name": instance.name,
        "uuid": instance.uuid,
        "incarnation": str(instance.incarnation),
        "image": instance.image,
        "format": site.image_format,
        "disk": str(instance.disk),
        "generation": str(site.generation),
        "digest": digest(instance),
    }
    return found | ({"disks": disk_xml.to_mark(instance.disks)} if instance.disks else {})


def without_disk(text: str, disk: str) -> str | None:
    """The domain's mark less one data disk; None when it does not name that."""
    mark = ET.fromstring(text).find(_PATH)
    disks = () if mark is None else disk_xml.from_mark(mark.get("disks", ""))
    less = tuple(one for one in disks if one.id != disk)
    if mark is None or less == disks:
        return None
    return ET.tostring(ET.Element("instance", {**mark.attrib, "disks": disk_xml.to_mark(less)}), encoding="unicode")


def _sysinfo(uuid: str) -> ET.Element:
    """What Nova's libvirt driver sets: cloud-init's ds-identify knows an OpenStack guest by the product."""
    sysinfo = ET.Element("sysinfo", type="smbios")
    system = _add(sysinfo, "system")
    for name, value in (
        ("manufacturer", "OpenStack Foundation"),
        ("product", "OpenStack Nova"),
        ("version", __version__),
        ("serial", uuid),
        ("uuid", uuid),
        ("family", "Virtual Machine"),
    ):
        _add(system, "entry", value, name=name)
    return sysinfo


def _cpu(vcpus: int, memory: int, site: Site) -> ET.Element:
    """One socket: some guests use no more than two. Emulation offers all that QEMU can emulate. QEMU adds memory to
    nodes only: there is one, where memory can be added."""
    cpu = ET.Element("cpu", mode="host-passthrough" if site.virt == "kvm" else "maximum", check="none")
    _add(cpu, "topology", sockets="1", dies="1", cores=str(vcpus), threads="1")
    if site.most.memory > memory:
        numa = _add(cpu, "numa")
        _add(numa, "cell", id="0", cpus=f"0-{vcpus - 1}", memory=str(memory), unit="b")
    return cpu


def _devices(instance: Instance, site: Site) -> ET.Element:
    devices = ET.Element("devices")
    devices.append(_root_device(instance, site))
    for index, data in enumerate(instance.disks, 1):
        devices.append(disk_xml.device(data, site.pool, disk_xml.name_of(index)))
    _add(devices, "controller", type="usb", model="none")
    devices.extend(disk_xml.ports(len(instance.nics)))
    for nic in instance.nics:
        devices.append(_interface(nic, site.gateways[nic.network]))
    serial = _add(devices, "serial", type="pty")
    _add(serial, "log", file=CONSOLE_LOG.format(uuid=instance.uuid), append="on")
    _add(serial, "target", type="isa-serial", port="0")
    rng = _add(devices, "rng", model="virtio")
    _add(rng, "backend", "/dev/urandom", model="random")
    _add(devices, "memballoon", model="virtio")
    return devices


def _root_device(instance: Instance, site: Site) -> ET.Element:
    """The whole backing chain is written down: libvirt must never find out a format by looking into a guest's disk.

    The image stays root's (0644): libvirt would give it to QEMU's user, who could then write what others start from.
    """
    disk = ET.Element("disk", type="file", device="disk")
    _add(disk, "driver", name="qemu", type="qcow2", cache="writeback", discard="unmap")
    _add(disk, "source", file=f"{site.pool}/{root_disk(instance.uuid)}")
    backing = _add(disk, "backingStore", type="file")
    _add(backing, "format", type=site.image_format)
    image = _add(backing, "source", file=f"{site.pool}/{image_volume(instance.image)}")
    _add(image, "seclabel", model="dac", relabel="no")
    _add(backing, "backingStore")
    _add(disk, "target", dev="vda", bus="virtio")
    _add(disk, "boot", order="1")
    return disk


def _interface(nic: Nic, gateway: str) -> ET.Element:
    """libvirt makes the tap and gives it the gateway's address; the kernel adds the /32 route to the peer."""
    interface = ET.Element("interface", type="ethernet")
    _add(interface, "mac", address=nic.mac)
    source = _add(interface, "source")
    _add(source, "ip", family="ipv4", address=gateway, prefix="32", peer=nic.address)
    _add(interface, "target", dev=nic.tap)
    _add(interface, "model", type="virtio")
    if nic.mtu:
        _add(interface, "mtu", size=str(nic.mtu))
    _add(interface, "rom", enabled="no")
    return interface
