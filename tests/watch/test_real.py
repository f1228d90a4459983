"""A watch of this machine's own libvirt, agent and kernel, with two blank guests. In a private machine."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cloudsync.hosts.agent_client import AgentClient
from cloudsync.hosts.host import SOCKET
from cloudsync.watch.consent import Consent
from cloudsync.watch.happening import Ending
from cloudsync.watch.trigger import Reason, Trigger
from tests.effort import PATIENCE
from tests.lab.cloud import blank_cloud, running_agent
from tests.lab.machine import start
from tests.watch.watched import Watched, save, watched

pytestmark = pytest.mark.real
PROGRAM = [sys.executable, "-m", "cloudsync"]
GATE = "\nsecurity_groups:\n  gate: {{ingress: [{{protocol: tcp, ports: {port}, from: any}}]}}\n"


class Here:
    """This machine as a cloud: its spec, its agent, and what its kernel and its libvirt have."""

    def __init__(self, folder: Path) -> None:
        self.spec = blank_cloud(folder, count=2)
        self.text = self.spec.read_text().replace("image: blank,", "image: blank, security_groups: [default, gate],")
        self.agent = ExitStack()
        self.agent.enter_context(running_agent())
        self.open(41230)

    def open(self, port: int, text: str = "") -> None:
        save(self.spec, (text or self.text) + GATE.format(port=port))

    def sized(self, memory: int) -> str:
        return self.text.replace("memory: 32MiB", f"memory: {memory}MiB")

    def is_open(self, port: int) -> bool:
        said = subprocess.run(["nft", "list", "table", "inet", "cloudsync"], capture_output=True, text=True, check=True)
        return str(port) in said.stdout

    def rules(self) -> str:
        return subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout

    def running(self) -> dict[str, str]:
        """The process of each guest, by its name: another one after every start."""
        said = subprocess.run(["pgrep", "-a", "qemu-system"], capture_output=True, text=True)
        lines = (line.split() for line in said.stdout.splitlines())
        return {words[words.index("-name") + 1].split("guest=")[1].split(",")[0]: words[0] for words in lines}

    def restart_agent(self) -> None:
        self.agent.close()
        self.agent.enter_context(running_agent())


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    it = Here(tmp_path_factory.mktemp("watch"))
    try:
        yield it
    finally:
        subprocess.run([*PROGRAM, "-f", it.spec, "destroy", "-y", "--allow-destroy"], check=True, capture_output=True)
        it.agent.close()


@pytest.fixture
def watch(here: Here) -> Iterator[Watched]:
    """In sync."""
    here.open(41230)
    with watched(here.spec) as it:
        while it.next().ending is not Ending.QUIET:
            continue
        yield it


def until(it: Watched, ending: Ending) -> None:
    while it.next().ending is not ending:
        continue


def test_a_save_is_in_the_kernel_and_disturbs_no_guest(here: Here, watch: Watched) -> None:
    before = here.running()
    assert set(before) == {"box-1", "box-2"}
    assert not here.is_open(41231)
    here.open(41231)
    found = watch.next()
    assert (found.ending, [one.address for one in found.made]) == (Ending.APPLIED, ["group.gate"])
    assert here.is_open(41231)
    assert not here.is_open(41230)
    assert watch.next().ending is Ending.QUIET
    assert here.running() == before


def test_a_broken_file_changes_nothing(here: Here, watch: Watched) -> None:
    before = here.rules()
    save(here.spec, here.text + GATE.format(port="many"))
    found = watch.next()
    assert (found.ending, len(found.problems)) == (Ending.BROKEN, 1)
    assert here.rules() == before


def test_a_restart_waits_until_somebody_agrees(here: Here, watch: Watched) -> None:
    before = here.running()
    here.open(41232, here.sized(24))
    found = watch.next()
    assert (here.is_open(41232), here.running()) == (True, before)
    assert {one.change.address for one in found.held} == {"instance.box-1", "instance.box-2"}
    assert {one.change.disruption.label for one in found.held} == {"restart"}
    watch.watch.hear(Consent.KEEPING_DATA.trigger)
    while Consent.KEEPING_DATA.trigger not in (found := watch.next()).triggers:
        continue
    assert (found.ending, found.held, found.message) == (Ending.APPLIED, (), "")
    after = here.running()
    assert set(after) == set(before)
    assert not set(after.values()) & set(before.values())
    here.text = here.sized(24)


def test_the_lock_of_another_is_waited_for_and_taken_over(here: Here, watch: Watched) -> None:
    with AgentClient(Path(SOCKET)).lock("somebody@else"):
        here.open(41233)
        found = watch.next()
        assert (found.ending, "somebody@else" in found.message, here.is_open(41233)) == (Ending.LOCKED, True, False)
    until(watch, Ending.APPLIED)
    assert here.is_open(41233)


def test_a_guest_that_stops_or_crashes_is_started_again(here: Here, watch: Watched) -> None:
    """On a look, as `--every` has them."""
    before = here.running()
    subprocess.run(["virsh", "--quiet", "destroy", "box-1"], check=True)
    watch.watch.hear(Trigger(Reason.INTERVAL))
    found = watch.next()
    assert (found.ending, found.drift, found.repaired) == (Ending.APPLIED, 1, 1)
    started = here.running()
    assert started["box-1"] != before["box-1"]
    assert started["box-2"] == before["box-2"]
    os.kill(int(started["box-1"]), signal.SIGKILL)
    found = watch.next()
    while found.ending is not Ending.APPLIED:
        watch.watch.hear(Trigger(Reason.INTERVAL))
        found = watch.next()
    assert set(here.running()) == {"box-1", "box-2"}
    assert here.running()["box-1"] != started["box-1"]


def test_it_outlives_the_agent(here: Here, watch: Watched) -> None:
    here.restart_agent()
    here.open(41234)
    until(watch, Ending.APPLIED)
    assert here.is_open(41234)


def test_it_outlives_libvirtd(here: Here, watch: Watched) -> None:
    before = here.running()
    (pid,) = subprocess.run(["pgrep", "-x", "libvirtd"], capture_output=True, text=True, check=True).stdout.split()
    gone = os.pidfd_open(int(pid))
    os.kill(int(pid), signal.SIGTERM)
    assert select.select([gone], [], [], PATIENCE)[0]
    os.close(gone)
    start(["libvirtd"], Path("/var/log/libvirt/libvirtd.log"))
    watch.watch.hear(Trigger(Reason.INTERVAL))
    found = watch.next()
    while found.ending is not Ending.QUIET or found.silent:
        found = watch.next()
    here.open(41235)
    until(watch, Ending.APPLIED)
    assert (here.is_open(41235), here.running()) == (True, before)


def test_a_watcher_that_is_killed_at_work_is_followed_by_another(here: Here) -> None:
    here.open(41230)
    command = [*PROGRAM, "-f", str(here.spec), "watch", "--every", "1s"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        events = (json.loads(line) for line in first.stdout)
        assert next(one for one in events if one["event"] == "round-ended" and one["ending"] in ("quiet", "applied"))
        with watched(here.spec, every=1.0, who="second@here") as second:
            second.next()
            here.open(41236)
            assert next(one for one in events if one["event"] in ("planned", "ended") or one.get("ending") == "locked")
            first.send_signal(signal.SIGKILL)
            found = second.next()
            while found.ending is not Ending.QUIET:
                found = second.next()
            assert here.is_open(41236)
            assert set(here.running()) == {"box-1", "box-2"}
