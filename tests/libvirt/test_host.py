"""The real Driver: a real libvirt and a real agent, without the agent's kernel side."""

import os
import select
import signal
import subprocess
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from cloudsync.hosts.host import Host
from cloudsync.hosts.libvirt.volume import FOLDER
from cloudsync.model.cloud import Host as Wanted
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError, LockedError, StaleError
from cloudsync.model.resources import Digest, Group, Image, Instance, Network, Power
from cloudsync.model.snapshot import HostStatus
from cloudsync.model.step import (
    DeleteImage,
    DeleteInstance,
    PutDocument,
    PutImage,
    StartInstance,
    StopInstance,
    UpdateInstance,
)
from tests.agent.images import qemu_img
from tests.agent.lab import Lab as Agent
from tests.lab.cloud import blank_image
from tests.libvirt.conftest import Lab
from tests.libvirt.samples import MiB, named, virtual_size
from tests.libvirt.steps import GATEWAYS, create, perform, say_nothing

pytestmark = pytest.mark.real

SECRET = b"#cloud-config\npassword: the-secret-word\n"
NETWORK = Network(name="default", subnet="10.20.0.0/24", gateway="10.20.0.1", domain="lab.internal")


def a_document(*instances: Instance, generation: int = 1, cloud: str = "lab") -> HostDocument:
    return HostDocument(
        cloud=cloud,
        host="here",
        generation=generation,
        networks={"default": NETWORK},
        groups={"default": Group(name="default")},
        instances={instance.name: instance for instance in instances},
    )


def test_a_fresh_host_is_ready_and_empty(host: Host, lab: Lab) -> None:
    state = host.observe()
    assert (state.status, state.reason, state.arch) == (HostStatus.READY, "", "x86_64")
    assert state.capacity.vcpus == os.cpu_count()
    assert state.images == {lab.image: 1 * MiB}
    assert (state.machines, state.disks, state.document, state.foreign_names) == ({}, frozenset(), None, frozenset())


def test_the_life_of_a_machine_each_step_twice(host: Host, lab: Lab) -> None:
    web = lab.instance()
    shop = replace(web, name="shop", vcpus=2, memory=64 * MiB, disk=16 * MiB)
    at = "instance.web-1"
    update = UpdateInstance(
        id="u", host="here", address=at, instance=shop, gateways=GATEWAYS, cloud="lab", generation=2, grace=0.1
    )

    perform(host, create(web), create(web))
    state = host.observe()
    assert named(state, "web-1").power is Power.RUNNING
    assert named(state, "web-1").disk == 8 * MiB
    assert state.disks == {web.uuid}

    perform(host, update, replace(update, instance=replace(shop, state=Power.STOPPED)))
    assert named(host.observe(), "shop").power is Power.STOPPED

    perform(host, *[StartInstance(id="b", host="here", address=at, uuid=web.uuid)] * 2)
    machine = named(host.observe(), "shop")
    assert (machine.vcpus, machine.memory, machine.disk, machine.generation) == (2, 64 * MiB, 16 * MiB, 2)
    assert machine.power is Power.RUNNING

    perform(host, *[StopInstance(id="s", host="here", address=at, uuid=web.uuid, grace=0.1)] * 2)
    assert named(host.observe(), "shop").power is Power.STOPPED

    perform(host, *[DeleteInstance(id="d", host="here", address=at, uuid=web.uuid)] * 2)
    state = host.observe()
    assert (state.machines, state.disks) == ({}, frozenset())


def test_a_machine_that_is_to_be_off_is_made_but_not_started(host: Host, lab: Lab) -> None:
    perform(host, create(replace(lab.instance(), state=Power.STOPPED)))
    assert named(host.observe(), "web-1").power is Power.STOPPED
    assert not Path("/etc/libvirt/qemu/autostart/web-1.xml").is_symlink()


def test_one_that_is_to_stay_off_does_not_start_with_its_host_any_more(host: Host, lab: Lab) -> None:
    """It is not started for that: where its memory was saved it goes on there later."""
    web = replace(lab.instance(), state=Power.STOPPED)
    perform(host, create(web))
    domain = lab.connection.raw.lookupByUUIDString(web.uuid)
    domain.setAutostart(1)
    domain.create()
    domain.managedSave()
    machine = named(host.observe(), "web-1")
    assert (machine.power, machine.autostart, machine.traces.saved) == (Power.STOPPED, True, True)
    perform(host, kept(web), kept(web))
    machine = named(host.observe(), "web-1")
    assert (machine.power, machine.autostart, machine.traces.saved) == (Power.STOPPED, False, True)
    perform(host, StartInstance(id="b", host="here", address="instance.web-1", uuid=web.uuid))
    assert (domain.isActive(), domain.autostart(), domain.hasManagedSaveImage()) == (1, 0, 0)


def kept(one: Instance) -> UpdateInstance:
    """What libvirt keeps of it is written anew, and it runs on."""
    return UpdateInstance(
        id="k",
        host="here",
        address=f"instance.{one.name}",
        instance=one,
        gateways=GATEWAYS,
        cloud="lab",
        generation=2,
        autostart=one.autostart,
        live=True,
    )


def test_a_machine_that_libvirt_only_runs_and_does_not_keep_is_kept_while_it_runs(host: Host, lab: Lab) -> None:
    web = lab.instance()
    perform(host, create(web))
    domain = lab.connection.raw.lookupByUUIDString(web.uuid)
    began = domain.ID()
    domain.undefine()
    assert (domain.isPersistent(), named(host.observe(), "web-1").autostart) == (0, False)
    perform(host, kept(web), kept(web))
    machine = named(host.observe(), "web-1")
    assert (machine.power, machine.autostart, domain.isPersistent(), domain.ID()) == (Power.RUNNING, True, 1, began)


def test_a_machine_whose_disk_is_gone_has_none(host: Host, lab: Lab) -> None:
    web = lab.instance()
    perform(host, create(replace(web, state=Power.STOPPED)))
    Path(FOLDER, f"{web.uuid}.root.qcow2").unlink()
    assert named(host.observe(), "web-1").disk == 0


def test_a_disk_that_outlived_its_machine_is_grown_to_what_is_wanted_now(host: Host, lab: Lab) -> None:
    web = replace(lab.instance(), state=Power.STOPPED)
    perform(host, create(web))
    lab.connection.raw.lookupByUUIDString(web.uuid).undefine()
    perform(host, create(replace(web, disk=16 * MiB)))
    assert virtual_size(Path(FOLDER, f"{web.uuid}.root.qcow2")) == 16 * MiB
    assert named(host.observe(), "web-1").disk == 16 * MiB


def test_a_disk_that_was_replaced_behind_our_back_tells_its_own_size(host: Host, lab: Lab) -> None:
    web = replace(lab.instance(), state=Power.STOPPED)
    perform(host, create(web))
    disk = Path(FOLDER, f"{web.uuid}.root.qcow2")
    qemu_img("create", "-f", "qcow2", "-b", Path(FOLDER, f"image-{web.image}"), "-F", "raw", disk, "4M")
    assert named(host.observe(), "web-1").disk == 4 * MiB


@pytest.mark.parametrize("content", [b"", b"somebody put it there", b"QFI\xfb"])
def test_a_file_that_is_no_disk_on_the_image_is_refused_and_kept(host: Host, lab: Lab, content: bytes) -> None:
    web = lab.instance()
    disk = Path(FOLDER, f"{web.uuid}.root.qcow2")
    disk.write_bytes(content)
    with pytest.raises(HostError, match="is not a disk on the image blank"):
        perform(host, create(web))
    assert disk.read_bytes() == content
    assert host.observe().machines == {}


def test_a_disk_that_is_too_small_for_the_image_is_refused_before_it_is_made(host: Host, lab: Lab) -> None:
    with pytest.raises(HostError, match=r"image\.blank is a disk of 1 MiB, and tiny has 512 KiB"):
        perform(host, create(replace(lab.instance(), disk=MiB // 2)))
    assert (host.observe().machines, host.observe().disks) == ({}, frozenset())


def test_an_image_file_is_sent_once(host: Host, lab: Lab, tmp_path: Path) -> None:
    source = blank_image(tmp_path / "other.raw")
    source.write_bytes(source.read_bytes() + bytes(1 * MiB))
    digest = sha256(source.read_bytes()).hexdigest()
    image = Image(name="other", sha256=digest, source=str(source))
    step = PutImage(id="i", host="here", address="image.other", image=image)
    heard: list[str] = []
    host.perform(step, {}, heard.append)
    assert "100% of 2 MiB" in heard
    assert host.observe().images[digest] == 2 * MiB
    assert not Path(FOLDER, f"incoming-{digest}").exists()
    heard.clear()
    host.perform(step, {}, heard.append)
    assert not [text for text in heard if text.endswith("of 2 MiB") and not text.startswith("checking")]
    perform(host, create(replace(lab.instance(), image=digest)))
    assert named(host.observe(), "web-1").image == digest
    perform(host, DeleteInstance(id="d", host="here", address="instance.web-1", uuid=lab.instance().uuid))
    perform(host, *[DeleteImage(id="x", host="here", address="image.other", sha256=digest)] * 2)
    assert digest not in host.observe().images


def test_an_image_that_is_not_what_the_spec_says_is_refused(host: Host, tmp_path: Path) -> None:
    image = Image(name="other", sha256="ab" * 32, source=str(blank_image(tmp_path / "other.raw")))
    with pytest.raises(HostError, match="but the spec says abab"):
        perform(host, PutImage(id="i", host="here", address="image.other", image=image))
    with pytest.raises(HostError, match=r"gone\.raw cannot be read: No such file"):
        gone = replace(image, source="/nowhere/gone.raw")
        perform(host, PutImage(id="i", host="here", address="image.other", image=gone))
    assert [path.name for path in Path(FOLDER).iterdir() if path.name.startswith("incoming")] == []


def test_a_machine_on_an_image_that_is_not_there_is_refused(host: Host, lab: Lab) -> None:
    with pytest.raises(HostError, match="image abababababab is not in the cache"):
        perform(host, create(replace(lab.instance(), image="ab" * 32)))


def test_the_document_takes_the_user_data_along(host: Host, lab: Lab, agent: Agent) -> None:
    digest = sha256(SECRET).hexdigest()
    web = replace(lab.instance(), user_data=Digest(sha256=digest, size=len(SECRET)), groups=("default",))
    document = a_document(web)
    step = PutDocument(id="p", host="here", address="host.here", document=document, base=0)
    with pytest.raises(HostError, match=f"user-data {digest[:12]} of web-1 is not at hand"):
        perform(host, step)
    assert host.observe().generation == 0
    perform(host, step, blobs={digest: SECRET, "0" * 64: b"another"})
    assert host.observe().document == document
    stored = "".join(path.read_text() for path in (agent.root / "state").iterdir() if path.is_file())
    assert b64encode(SECRET).decode() in stored
    assert b64encode(b"another").decode() not in stored
    with pytest.raises(StaleError):
        perform(host, step, blobs={digest: SECRET})


def test_one_apply_at_a_time(host: Host) -> None:
    with host.lock("alice@laptop"), pytest.raises(LockedError, match="alice@laptop"), host.lock("bob@desk"):
        pass
    with host.lock("bob@desk"):
        pass


def test_a_host_of_another_cloud_is_foreign_until_it_is_empty(host: Host, lab: Lab, agent: Agent) -> None:
    other = replace(lab.instance(), user_data=None, groups=("default",))
    agent.client.put_document(a_document(other, cloud="shop"), 0)
    state = host.observe()
    assert state.status is HostStatus.FOREIGN
    assert "it belongs to cloud shop, which has 1 instance(s) here" in state.reason
    assert not state.reachable
    agent.client.put_document(HostDocument(cloud="shop", host="here", generation=2), 1)
    assert host.observe().status is HostStatus.READY


def test_whichever_half_is_down_is_named(host: Host, agent: Agent) -> None:
    agent.end()
    state = host.observe()
    assert state.status is HostStatus.UNREACHABLE
    assert "the agent on here does not answer" in state.reason
    assert "cloudsync agent" in state.reason
    assert "libvirt" not in state.reason
    nowhere = Wanted(name="here", uri="qemu:///system?socket=/run/nobody-listens-here")
    state = Host(nowhere, "lab", agent.socket).observe()
    assert "libvirtd is not running" in state.reason
    assert "libvirtd -d" in state.reason
    assert "the agent on here does not answer" in state.reason


def test_libvirtd_may_be_restarted_under_an_open_connection(host: Host, lab: Lab) -> None:
    perform(host, create(lab.instance()))
    libvirtd = int(Path("/run/libvirtd.pid").read_text())
    ended = os.pidfd_open(libvirtd)
    os.kill(libvirtd, signal.SIGTERM)
    assert select.select([ended], [], [], 30)[0], "it did not end"
    os.close(ended)
    try:
        assert "libvirtd is not running" in host.observe().reason
    finally:
        subprocess.run(["libvirtd", "-d"], check=True)
    state = host.observe()
    assert state.status is HostStatus.READY
    assert named(state, "web-1").power is Power.RUNNING
    host.perform(StopInstance(id="s", host="here", address="web", uuid=lab.instance().uuid, grace=0), {}, say_nothing)
    assert named(host.observe(), "web-1").power is Power.STOPPED
