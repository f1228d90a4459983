"""Instances made anew one after the other, each once the last is back: real machines, with understudies for guests."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloudsync.hosts.agent_client import AgentClient
from cloudsync.model.resources import Instance
from tests.effort import PATIENCE
from tests.lab.begun import Begun
from tests.lab.cloud import HOST, blank_image, running_agent, spec_of
from tests.lab.typed import typed
from tests.lab.understudy import Understudy, understudy

pytestmark = pytest.mark.real
BOOTED = json.dumps({"event_type": "finish", "name": "modules-final", "result": "SUCCESS"}).encode()
BOX = "{{count: 3, image: {image}, flavor: tiny, update: {{max_unavailable: 1, timeout: 5m}}}}"


@dataclass
class Desk:
    folder: Path

    def write(self, image: str) -> None:
        here = HOST.format(name="here", uri="qemu:///system", more="")
        text = spec_of(self.folder / "blank.raw", [here], {"box": BOX.format(image=image)})
        other = f"  other: {{source: 'file:{self.folder / 'other.raw'}', format: raw}}\nnetworks:"
        self.spec.write_text(text.replace("networks:", other))

    @property
    def spec(self) -> Path:
        return self.folder / "cloud.yaml"

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return typed(self.spec, *words)

    def begin(self) -> Begun:
        return Begun(self.spec, "apply", "-y", "--allow-destroy", "--allow-mass-delete")

    def machines(self) -> dict[str, str]:
        """UUIDs of those that run, by name."""
        names = subprocess.check_output(["virsh", "-q", "list", "--name"], text=True).split()
        return {name: subprocess.check_output(["virsh", "-q", "domuuid", name], text=True).strip() for name in names}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "other.raw").write_bytes(blank_image(tmp_path / "blank.raw").read_bytes()[:-1] + b"x")
    desk = Desk(tmp_path)
    with running_agent():
        desk.write("blank")
        done = desk.run("apply", "-y")
        assert done.returncode == 0, done.stderr
        yield desk
        done = desk.run("destroy", "-y", "--allow-destroy")
        assert done.returncode == 0, done.stderr


def heard(begun: Begun, name: str) -> Instance:
    """It waits for this one now."""
    said = []
    for line in begun.stderr:
        said.append(line)
        if line.startswith(f"wait for instance.{name} "):
            document = AgentClient(Path("/run/cloudsync/agent.sock")).host().document
            assert document
            return document.instances[name]
    raise AssertionError("".join(said))


@contextmanager
def guest_of(begun: Begun, name: str) -> Iterator[Understudy]:
    """Once it is waited for."""
    with understudy(heard(begun, name).nics[0], "10.20.0.1") as guest:
        yield guest


def back(begun: Begun, name: str) -> None:
    assert next(line for line in begun.stderr if f"wait for instance.{name} on here: done" in line)


def test_the_roll_stops_at_the_first_that_is_not_back_and_goes_on_with_the_next_apply(desk: Desk) -> None:
    before = desk.machines()
    desk.write("other")
    planned = desk.run("plan").stdout
    assert "box: one at a time, each waits until the last is back (box-1, box-2, box-3)" in planned
    begun = desk.begin()
    with guest_of(begun, "box-1") as guest:
        assert guest.post("/cloudsync/report", BOOTED).endswith(b"200 OK")
        back(begun, "box-1")
    heard(begun, "box-2")
    assert desk.machines()["box-3"] == before["box-3"]
    subprocess.run(["virsh", "-q", "destroy", "box-2"], check=True)
    said = begun.communicate(timeout=PATIENCE)[1]
    assert begun.returncode == 1
    assert "FAILED wait for instance.box-2 on here" in said
    assert "skipped delete instance.box-3 on here" in said
    assert desk.machines()["box-3"] == before["box-3"]

    begun = desk.begin()
    for name in ("box-2", "box-3"):
        with guest_of(begun, name) as guest, guest.listen(22):
            back(begun, name)
    assert begun.communicate(timeout=PATIENCE)
    assert begun.returncode == 0
    after = desk.machines()
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    done = desk.run("plan", "--detailed-exitcode")
    assert done.returncode == 0, done.stdout
