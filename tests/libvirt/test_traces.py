"""What somebody else changed in a domain, told from what libvirt says of it (recordings/) and what we noted of it."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cloudsync.hosts.libvirt.domain_xml import MARK, Foreign, Ours, from_xml, to_xml
from cloudsync.hosts.libvirt.traces import traces
from cloudsync.model.snapshot import Traces
from tests.libvirt.samples import UUID, a_site, an_instance

RECORDINGS = Path(__file__).parent / "recordings"
LIVE = (RECORDINGS / "running.xml").read_text()
KEPT = (RECORDINGS / "running-inactive.xml").read_text()
OFF = (RECORDINGS / "stopped.xml").read_text()
EXTRA = "<sound model='ich9'/>"
OLD = '<cloudsync:written version="0">'


def ours(text: str) -> Ours:
    found = from_xml(text)
    assert isinstance(found, Ours)
    return found


def left(live: str, kept: str) -> Traces:
    return traces(ours(live), ours(kept))


def edited(text: str, old: str, new: str) -> str:
    found = re.sub(old, new, text, flags=re.DOTALL)
    assert found != text
    return found


def test_nothing_is_told_of_what_libvirt_adds_by_itself() -> None:
    assert left(LIVE, KEPT) == Traces()
    assert traces(None, ours(OFF)) == Traces()
    assert traces(None, ours(to_xml(an_instance(), a_site()))) == Traces()


@pytest.mark.parametrize(
    "added",
    [
        "<watchdog model='itco' action='reset'/>",
        "<controller type='virtio-serial' index='0'/>",
        "<audio id='2' type='none'/>",
        "<disk type='file'><source file='/srv/x.img'/><target dev='vdb' bus='virtio'/></disk>",
        "<memory model='dimm'><target><size unit='KiB'>32768</size></target></memory>",
    ],
)
def test_nor_of_what_other_versions_of_it_add_and_of_disks_that_are_told_apart(added: str) -> None:
    more = (edited(text, "</devices>", f"{added}</devices>") for text in (LIVE, KEPT))
    assert left(*more) == Traces()


CHANGES = [
    ("<on_crash>restart", "<on_crash>preserve", "on_crash: preserve instead of restart"),
    ("<model type='virtio'/>", "<model type='e1000'/>", "network card 1: model=e1000 instead of model=virtio"),
    ("<ip address='10.20.0.1'", "<ip address='10.20.0.9'", "gateway=10.20.0.9 instead of gateway=10.20.0.1"),
    ("</devices>", f"{EXTRA}</devices>", "sound 1 is new (model=ich9)"),
    ("</devices>", "<graphics type='vnc' port='5900'/></devices>", "graphics 1 is new (type=vnc)"),
    (
        "type='usb' index='0' model='none'",
        "type='usb' index='0' model='qemu-xhci'",
        "usb controller 1: model=qemu-xhci",
    ),
    ("<boot order='1'/>", "<boot order='2'/>", "disk vda: boot=2 instead of boot=1"),
    ("<cpu mode='maximum'", "<cpu mode='custom'", "cpu: custom instead of maximum"),
    ("<serial.*?</serial>", "", "serial 1 is gone"),
    ("<smbios mode='sysinfo'/>", "<boot dev='network'/>", "boot is new (boot dev=network)"),
    ("</features>", "</features><cputune><quota>5</quota></cputune>", "cputune is new (cputune quota=5)"),
    ("'product'>OpenStack Nova", "'product'>Other", "sysinfo: product=Other instead of product=OpenStack Nova"),
]


@pytest.mark.parametrize(("old", "new", "said"), CHANGES)
def test_every_change_is_told_where_it_was_made(old: str, new: str, said: str) -> None:
    live, kept = edited(LIVE, old, new), edited(KEPT, old, new)
    (word,) = left(LIVE, kept).definition
    assert said in word
    assert left(LIVE, kept).running == ()
    assert (left(live, KEPT).definition, left(live, KEPT).running) == ((), (word,))
    assert (left(live, kept).definition, left(live, kept).running) == ((word,), (word,))
    assert traces(None, ours(edited(OFF, old, new))).definition == (word,)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<memory unit='KiB'>32768", "<memory unit='KiB'>65536", "memory: 64 MiB instead of 32 MiB"),
        (" current='1'>", " current='2'>", "vcpus: 2 instead of 1"),
        (
            "<mac address='52:54:00:00:00:07",
            "<mac address='52:54:00:00:00:08",
            "52:54:00:00:00:08 10.20.0.7 instead of",
        ),
    ],
)
def test_sizes_and_addresses_are_told_only_of_what_it_does_not_run_with(old: str, new: str, said: str) -> None:
    """The plan compares those of what runs by itself."""
    live, kept = edited(LIVE, old, new), edited(KEPT, old, new)
    found = left(LIVE, kept)
    (word,) = found.definition
    assert said in word
    next_start = {"memory": (0, 64 << 20), "vcpus": (2, 0)}
    assert (found.vcpus, found.memory) == next_start.get(word.partition(":")[0], (0, 0))
    assert (left(live, kept), left(live, KEPT)) == (Traces(), Traces())


def test_a_machine_that_grew_while_it_ran_is_as_it_was_written() -> None:
    """It began with what its mark in the running XML says, and was written anew since."""
    grown = edited(KEPT, "</devices>", f"{EXTRA}</devices>")
    part = f'<part xmlns="{MARK}" name="sound 1">model=ich9</part>'
    grown = edited(grown, "</cloudsync:written>", f"{part}</cloudsync:written>")
    assert left(edited(LIVE, "</devices>", f"{EXTRA}</devices>"), grown) == Traces()
    assert left(LIVE, grown) == Traces(), "it will have the device when it is started again"


def test_a_root_disk_that_is_another_file_is_told_by_itself() -> None:
    """As an external snapshot does it."""
    old, new = f"{UUID}.root.qcow2'", "snap.qcow2'"
    expected = Traces(disk="/var/lib/cloudsync/pool/snap.qcow2")
    assert left(edited(LIVE, old, new), edited(KEPT, old, new)) == expected
    assert left(edited(LIVE, old, new), KEPT) == expected
    assert traces(None, ours(edited(OFF, old, new))) == expected


@pytest.mark.parametrize("gone", ["<cloudsync:written.*</cloudsync:written>", '<cloudsync:written version="1">'])
def test_what_an_older_version_wrote_is_passed_over(gone: str) -> None:
    live, kept = (edited(text, gone, OLD if gone.endswith('">') else "") for text in (LIVE, KEPT))
    changed = edited(kept, "<on_crash>restart", "<on_crash>preserve")
    assert traces(None, ours(changed)) == Traces()
    assert left(edited(live, "<on_crash>restart", "<on_crash>preserve"), KEPT) == Traces()


def test_a_copy_with_our_mark_is_not_ours() -> None:
    other = ET.fromstring(OFF)
    uuid = other.find("uuid")
    assert uuid is not None
    uuid.text = "11111111-2222-4333-8444-555555555555"
    found = from_xml(ET.tostring(other, encoding="unicode"))
    assert isinstance(found, Foreign)
    assert (found.copy_of, found.cloud, found.usage.vcpus) == ("web-1", "lab", 1)
