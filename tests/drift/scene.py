"""A small cloud of blank guests on this machine's libvirt, changed behind cloudsync's back, and what the plan says."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event as Flag
from typing import Any

from cloudsync.apply.events import Event, Failed
from cloudsync.apply.execute import execute
from cloudsync.hosts.agent_client import AgentClient
from cloudsync.hosts.fleet import Fleet
from cloudsync.hosts.host import SOCKET
from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Plan
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import HostState, Snapshot
from cloudsync.model.step import Step, StopInstance, UpdateInstance
from cloudsync.pipeline import blobs, decide, emptied, observe
from cloudsync.spec.load import load
from tests.lab.cloud import HOST, blank_image, running_agent, spec_of

POOL = Path("/var/lib/cloudsync/pool")
BOX = "{image: blank, flavor: tiny}"
FLAVORS = {"tiny": "{vcpus: 1, memory: 32MiB, disk: 8MiB}", "wide": "{vcpus: 1, memory: 48MiB, disk: 8MiB}"}


@dataclass(frozen=True)
class Scene:
    """`folder` has the spec and the image."""

    folder: Path

    @property
    def spec(self) -> Path:
        return self.folder / "cloud.yaml"

    def write(self, **boxes: str) -> None:
        here = HOST.format(name="here", uri="qemu:///system", more=" virt: qemu,")
        self.spec.write_text(spec_of(self.folder / "blank.raw", [here], boxes, FLAVORS))

    def plan(self, *replaced: str) -> Plan:
        cloud = replace(load(self.spec), replaced=frozenset(replaced))
        with Fleet.open(cloud) as fleet:
            return decide(cloud, seen(fleet), "test@here")

    def apply(self, *replaced: str) -> Plan:
        """What was planned, carried out."""
        return self._carried_out(replace(load(self.spec), replaced=frozenset(replaced)))

    def clear(self) -> None:
        """The host is anybody's again."""
        self.write()
        self._carried_out(emptied(load(self.spec)))

    def _carried_out(self, cloud: Cloud) -> Plan:
        """A blank guest hears no power button, so nobody waits for it."""
        failed: list[str] = []

        def heard(event: Event) -> None:
            if isinstance(event, Failed):
                failed.append(event.message)

        with Fleet.open(cloud) as fleet:
            plan = decide(cloud, seen(fleet), "test@here")
            hurried = replace(plan, steps=tuple(_at_once(step) for step in plan.steps))
            execute(hurried, fleet.drivers, blobs(cloud), heard, 2, Flag())
        assert not failed, failed
        return plan

    @property
    def state(self) -> HostState:
        with Fleet.open(load(self.spec)) as fleet:
            return seen(fleet).hosts["here"]

    def uuid(self, name: str) -> str:
        return virsh("domuuid", name).strip()

    def pid(self, name: str) -> int:
        """Of its QEMU."""
        return int(Path(f"/run/libvirt/qemu/{name}.pid").read_text())

    def disk(self, name: str) -> Path:
        return POOL / f"{self.uuid(name)}.root.qcow2"

    @property
    def extra(self) -> Path:
        """A file for a disk that nobody asked for."""
        path = POOL.parent / "extra.raw"
        path.write_bytes(bytes(1 << 20))
        path.chmod(0o666)
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        """As `virsh edit` would."""
        text = virsh("dumpxml", "--inactive", "--security-info", name)
        assert old in text, text
        self.define(text.replace(old, new))

    def define(self, text: str) -> None:
        path = self.folder / "edited.xml"
        path.write_text(text)
        virsh("define", str(path))

    def attach(self, name: str, device: str, *flags: str) -> None:
        path = self.folder / "device.xml"
        path.write_text(device)
        virsh("attach-device", name, str(path), *flags)


def _at_once(step: Step) -> Step:
    return replace(step, grace=0.1) if isinstance(step, UpdateInstance | StopInstance) else step


def seen(fleet: Fleet) -> Snapshot:
    """A machine that is busy with other tests may not answer in time."""
    for _ in range(5):
        with suppress(CloudsyncError):
            return observe(fleet)
    return observe(fleet)


def virsh(*words: str) -> str:
    done = subprocess.run(["virsh", "-q", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def said(plan: Plan) -> list[tuple[str, str]]:
    """What drifted, and what is done about it."""
    return [(one.message, one.remedy) for one in plan.drift]


def kinds(plan: Plan) -> list[Any]:
    return [step.kind for step in plan.steps]


@contextmanager
def playing(folder: Path) -> Iterator[Scene]:
    """With an agent; nothing is left."""
    assert os.environ.get("CLOUDSYNC_PRIVATE_MACHINE"), "run it as `python tests/lab/private.py pytest …`"
    blank_image(folder / "blank.raw")
    scene = Scene(folder)
    with running_agent():
        # Its first answer takes longest, and a busy machine longer than a host has.
        AgentClient(Path(SOCKET), "here").host()
        try:
            yield scene
        finally:
            scene.clear()
            scene.extra.unlink()
