"""The pair to_xml / from_xml, against what the real libvirt made of it (recordings/)."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cloudsync.hosts.libvirt import disk_xml
from cloudsync.hosts.libvirt.domain_xml import MARK, Foreign, Ours, from_xml, to_xml, without_disk
from cloudsync.model.resources import DataDisk, Digest, Power
from cloudsync.model.snapshot import Machine, Usage
from tests.libvirt.samples import IMAGE, UUID, MiB, a_site, an_instance

RECORDINGS = Path(__file__).parent / "recordings"
WEB = Machine(
    uuid=UUID,
    name="web-1",
    cloud="lab",
    image=IMAGE,
    vcpus=1,
    memory=32 * MiB,
    disk=8 * MiB,
    nics=(("cs-000000000007", "52:54:00:00:00:07", "10.20.0.7"),),
    power=Power.RUNNING,
    autostart=True,
    generation=3,
    max_vcpus=4,
    max_memory=288 * MiB,
)


def machine(text: str) -> Machine:
    found = from_xml(text, power=Power.RUNNING)
    assert isinstance(found, Ours)
    assert found.image_format == "raw"
    return found.machine


@pytest.mark.parametrize("recording", ["stopped", "running", "running-inactive"])
def test_what_libvirt_keeps_reads_back_as_what_was_wanted(recording: str) -> None:
    assert machine((RECORDINGS / f"{recording}.xml").read_text()) == WEB


@pytest.mark.parametrize("recording", ["grown", "grown-inactive"])
def test_one_that_has_grown_has_what_was_added(recording: str) -> None:
    """3 vCPUs, and 128 MiB twice: as devices while it runs, as part of it from the next start on. Recorded of a machine
    that was started without places for data disks."""
    found = machine((RECORDINGS / f"{recording}.xml").read_text())
    assert found.ports == 1
    assert replace(found, ports=8) == replace(WEB, vcpus=3, memory=288 * MiB, disk=16 * MiB, generation=4)


def test_one_that_has_no_place_for_more_memory_has_no_room() -> None:
    text = (RECORDINGS / "grown.xml").read_text()
    assert machine(text.replace("slots='16'", "slots='2'").replace("'KiB'>294912</maxM", "'GiB'>1</maxM")) == replace(
        machine(text), max_memory=288 * MiB
    )
    assert machine(text.replace("'KiB'>294912</maxM", "'GiB'>1</maxM")).max_memory == 1024 * MiB


def test_one_without_room_is_written_as_it_always_was() -> None:
    """Its guest has no nodes of memory, and all the vCPUs that there are."""
    domain = ET.fromstring(to_xml(an_instance(), replace(a_site(), most=Usage())))
    assert domain.find("maxMemory") is None
    assert domain.find("cpu/numa") is None
    assert (domain.findtext("vcpu"), domain.find("vcpu").get("current")) == ("1", "1")  # type: ignore[union-attr]
    assert machine(ET.tostring(domain, encoding="unicode")) == replace(WEB, max_vcpus=1, max_memory=32 * MiB)


def test_what_is_written_reads_back() -> None:
    domain = ET.fromstring(to_xml(an_instance(), a_site()))
    # libvirt counts memory in KiB whatever it was given; its answer never says `b`.
    assert machine(ET.tostring(domain, encoding="unicode")) == WEB


def test_the_recordings_are_of_what_is_written_today() -> None:
    """Every element and attribute that is written stands in libvirt's answer; else record again."""
    kept = {path for path, _ in _leaves(ET.parse(RECORDINGS / "stopped.xml").getroot())}
    written = {path for path, _ in _leaves(ET.fromstring(to_xml(an_instance(), a_site())))}
    assert written <= kept


def _leaves(element: ET.Element, path: str = "") -> list[tuple[str, str]]:
    here = f"{path}/{element.tag}"
    found = [(f"{here}@{name}", value) for name, value in element.attrib.items()]
    for child in element:
        found += _leaves(child, here)
    return found or [(here, element.text or "")]


def test_the_backing_chain_is_closed() -> None:
    """Without the empty backingStore at the end libvirt would look into the image for a backing file."""
    disk = ET.fromstring(to_xml(an_instance(), a_site())).find("devices/disk")
    assert disk is not None
    assert _leaves(disk)[:1] == [("/disk@type", "file")]
    image = disk.find("backingStore")
    assert image is not None
    end = image.find("backingStore")
    assert end is not None
    assert (len(end), end.attrib) == (0, {})
    assert [kind.get("type") for kind in disk.iter("format")] == ["raw"]


def test_every_nic_has_its_networks_gateway_and_keeps_its_place() -> None:
    """The guest numbers its devices in this order."""
    one = an_instance()
    more = [replace(one.nics[0], network=name, mac=f"52:54:00:00:01:{at:02x}", tap=f"cs-{at:012x}", address=address)
            for at, (name, address) in enumerate((("back", "10.30.0.9"), ("default", "10.20.0.9")), 1)]  # fmt: skip
    site = replace(a_site(), gateways={"default": "10.20.0.1", "back": "10.30.0.1"})
    text = to_xml(replace(one, nics=(*one.nics, *more)), site)
    found = [
        (nic.find("source/ip").get("address"), nic.find("target").get("dev"))  # type: ignore[union-attr]
        for nic in ET.fromstring(text).findall("devices/interface")
    ]
    assert found == [
        ("10.20.0.1", "cs-000000000007"),
        ("10.30.0.1", "cs-000000000001"),
        ("10.20.0.1", "cs-000000000002"),
    ]
    assert machine(text).nics == tuple((nic.tap, nic.mac, nic.address) for nic in (*one.nics, *more))


def test_smbios_is_novas() -> None:
    domain = ET.fromstring(to_xml(an_instance(), a_site()))
    entries = {entry.get("name"): entry.text for entry in domain.findall("sysinfo/system/entry")}
    assert entries["manufacturer"] == "OpenStack Foundation"
    assert entries["product"] == "OpenStack Nova"
    assert entries["serial"] == entries["uuid"] == domain.findtext("uuid") == UUID
    mode = domain.find("os/smbios")
    assert mode is not None
    assert mode.get("mode") == "sysinfo"


@pytest.mark.parametrize(("virt", "mode"), [("kvm", "host-passthrough"), ("qemu", "maximum")])
def test_the_cpu_follows_the_kind_of_machine(virt: str, mode: str) -> None:
    domain = ET.fromstring(to_xml(replace(an_instance(), vcpus=3), replace(a_site(), virt=virt)))
    cpu, topology = domain.find("cpu"), domain.find("cpu/topology")
    assert domain.get("type") == virt
    assert cpu is not None
    assert topology is not None
    assert cpu.get("mode") == mode
    assert topology.get("cores") == "4"
    assert [(cell.get("cpus"), cell.get("memory")) for cell in domain.findall("cpu/numa/cell")] == [
        ("0-3", str(32 * MiB))
    ]


def test_secrets_do_not_reach_the_xml() -> None:
    """User-data is a digest by the time it gets here; not even that stands in the XML by itself."""
    secret = Digest(sha256="c0ffee" + "0" * 58, size=9)
    text = to_xml(replace(an_instance(), user_data=secret, keypairs=("alice",)), a_site())
    assert "c0ffee" not in text
    assert "alice" not in text


def test_hostile_text_stays_text() -> None:
    name = """x</name><devices><disk type='file'/></devices> & "quoted" 'too' ]]>"""
    text = to_xml(an_instance(name), a_site(cloud='lab" evil="1'))
    domain = ET.fromstring(text)
    assert domain.findtext("name") == name
    assert len(domain.findall("devices/disk")) == 1
    mark = domain.find(f"metadata/{{{MARK}}}instance")
    assert mark is not None
    assert mark.get("cloud") == 'lab" evil="1'
    assert "evil" not in mark.attrib


def test_a_domain_without_the_mark_is_foreign() -> None:
    found = from_xml((RECORDINGS / "foreign.xml").read_text())
    assert isinstance(found, Foreign)
    assert (found.name, found.usage) == ("old-printer", Usage(vcpus=2, memory=24 * MiB))


@pytest.mark.parametrize("attributes", ["", "cloud='lab'", "image='ab'", "cloud='' image=''"])
def test_a_broken_mark_is_nobodys(attributes: str) -> None:
    text = f"<domain><name>x</name><metadata><i:instance xmlns:i='{MARK}' {attributes}/></metadata></domain>"
    assert isinstance(from_xml(text), Foreign)


@pytest.mark.parametrize("number", ["", "-1", "1e9", "٣", "0x10", " 7"])
def test_numbers_that_somebody_edited_read_as_0(number: str) -> None:
    text = to_xml(an_instance(), a_site()).replace('generation="3"', f'generation="{number}"')
    assert machine(text).generation == 0


def test_a_domain_of_another_make_has_sizes_in_any_unit() -> None:
    text = "<domain><name>x</name><uuid>u</uuid><memory unit='GiB'>2</memory><vcpu current='1'>4</vcpu></domain>"
    assert from_xml(text) == Foreign(uuid="u", name="x", usage=Usage(vcpus=4, memory=2 << 30))


def test_what_is_no_xml_says_so() -> None:
    with pytest.raises(ValueError, match="not XML"):
        from_xml("<domain>")


DISKS = tuple(
    DataDisk(name=name, size=MiB, id=f"0b0c1f6e-52d4-4a3f-9c1e-0d5b8a2f000{at}")
    for at, name in enumerate(("data", "logs"))
)


def test_data_disks_are_found_by_their_serial_and_told_by_the_mark() -> None:
    text = to_xml(replace(an_instance(), disks=DISKS), a_site())
    devices = ET.fromstring(text).findall("devices/disk")
    assert [(one.findtext("serial"), one.find("target").get("dev")) for one in devices] == [  # type: ignore[union-attr]
        (None, "vda"),
        ("data", "vdb"),
        ("logs", "vdc"),
    ]
    assert all(one.find("backingStore") is not None for one in devices)
    found = machine(text)
    assert [(disk.name, disk.id) for disk in found.disks] == [(disk.name, disk.id) for disk in DISKS]
    assert found.attached == {disk.id for disk in DISKS}
    assert found.strange == ()
    assert found.sized({DISKS[0].id: 7}).disks == (replace(DISKS[0], size=7), replace(DISKS[1], size=0))


def test_what_the_mark_does_not_name_is_strange() -> None:
    less = to_xml(replace(an_instance(), disks=DISKS[:1]), a_site())
    more = ET.tostring(disk_xml.device(DISKS[1], "/elsewhere", "vdx"), encoding="unicode")
    cdrom = '<disk type="file" device="cdrom"><target dev="sda"/></disk>'
    found = machine(less.replace("</devices>", f"{more}{cdrom}</devices>"))
    assert [disk.name for disk in found.disks] == ["data"]
    assert found.strange == (f"vdx /elsewhere/{DISKS[1].id}.data.qcow2",)


@pytest.mark.parametrize("word", ["data", "data:x", f"../data:{DISKS[0].id}", "data:../../../../etc/passwd", ":"])
def test_a_mark_that_somebody_edited_names_no_files(word: str) -> None:
    text = to_xml(replace(an_instance(), disks=DISKS), a_site())
    assert machine(text.replace(disk_xml.to_mark(DISKS), word)).disks == ()


def test_a_mark_loses_one_disk_and_keeps_the_rest() -> None:
    text = to_xml(replace(an_instance(), disks=DISKS), a_site())
    less = disk_xml_mark(text, DISKS[0].id)
    assert less.get("disks") == disk_xml.to_mark(DISKS[1:])
    assert (less.get("cloud"), less.get("name"), less.get("generation")) == ("lab", "web-1", "3")
    assert without_disk(text, IMAGE) is None


def disk_xml_mark(text: str, disk: str) -> ET.Element:
    less = without_disk(text, disk)
    assert less
    return ET.fromstring(less)


def test_a_running_machine_has_eight_places_left() -> None:
    assert machine((RECORDINGS / "running.xml").read_text()).ports == 8
    full = ET.fromstring((RECORDINGS / "running.xml").read_text())
    devices = full.find("devices")
    assert devices is not None
    for port in range(5, 13):
        disk = ET.SubElement(devices, "disk")
        ET.SubElement(disk, "address", type="pci", bus=f"0x{port:02x}")
    assert machine(ET.tostring(full, encoding="unicode")).ports == 0


def test_the_network_card_has_the_first_place() -> None:
    """Guests name it after that: it must not depend on how many disks there are."""
    for recording in ("stopped", "running"):
        card = ET.parse(RECORDINGS / f"{recording}.xml").find("devices/interface/address")
        assert card is not None
        assert card.get("bus") == "0x01"
