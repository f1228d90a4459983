"""Several hosts on one machine: each is a host of its own, the plug can be pulled on it, and nothing is left."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudsync import __version__
from cloudsync.hosts.agent_client import AgentClient
from tests.effort import PATIENCE
from tests.lab.cloud import HOST, blank_spec
from tests.lab.eventually import eventually
from tests.lab.host import CLOUDSYNC
from tests.lab.lab import Hosts, lab
from tests.lab.traces import processes

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def it() -> Iterator[Hosts]:
    with lab(hosts=3) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def routed() -> Iterator[Hosts]:
    with lab(hosts=2, underlay="routed") as hosts:
        yield hosts


def virsh(it: Hosts, name: str, *words: str) -> str:
    done = subprocess.run(["virsh", "-q", "-c", it.uri(name), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def reaches(it: Hosts, name: str, target: str) -> bool:
    return it.run(name, "ping", "-q", "-c", "1", "-W", "2", target, check=False).returncode == 0


def test_plain_virsh_takes_the_uris_of_the_spec(it: Hosts) -> None:
    uuids = set()
    for name in it.names:
        assert f"uri: '{it.uri(name)}'" in it.spec()
        assert virsh(it, name, "hostname") == name
        uuids.add(virsh(it, name, "capabilities").partition("<uuid>")[2].partition("</uuid>")[0])
    assert len(uuids) == 3, "two hosts with one uuid cannot migrate"


def test_a_host_key_that_changed_is_refused(it: Hosts) -> None:
    known = it.keys.known_hosts.read_text()
    first, second = known.splitlines()[:2]
    it.keys.known_hosts.write_text(f"{first.split()[0]} {' '.join(second.split()[1:])}\n")
    try:
        done = subprocess.run(["virsh", "-c", it.uri("h1"), "list"], capture_output=True, text=True)
    finally:
        it.keys.known_hosts.write_text(known)
    assert done.returncode != 0
    assert "Host key verification failed" in done.stderr


def test_the_agents_socket_answers_through_ssh(it: Hosts, tmp_path: Path) -> None:
    local = tmp_path / "agent.sock"
    tunnel = subprocess.Popen(it.ssh("h3", "-N", "-L", f"{local}:/run/cloudsync/agent.sock"))
    try:
        eventually(local.exists, True)
        assert AgentClient(local, "h3").host().version == __version__
    finally:
        tunnel.terminate()
        tunnel.wait(PATIENCE)


def test_its_agent_is_this_trees(it: Hosts) -> None:
    assert f"{CLOUDSYNC} agent\n" in it.run("h1", "ps", "-ww", "-e", "-o", "args").stdout
    done = subprocess.run([*it.ssh("h1"), "command -v cloudsync; hostname"], capture_output=True, text=True)
    assert done.stdout.split() == [str(CLOUDSYNC), "h1"]


def test_hosts_reach_each_other_and_what_is_outside(it: Hosts) -> None:
    assert [reaches(it, "h1", name) for name in ("h2", "h3", "198.51.100.2")] == [True] * 3
    it.run("h1", "ip", "route", "add", "10.20.0.5/32", "via", it.seats["h2"].address)
    it.run("h1", "ip", "route", "del", "10.20.0.5/32")


def test_behind_a_router_no_other_host_is_a_next_hop(routed: Hosts) -> None:
    assert [reaches(routed, "h1", name) for name in ("h2", "198.18.0.11")] == [True] * 2
    done = routed.run("h1", "ip", "route", "add", "10.20.0.5/32", "via", routed.seats["h2"].address, check=False)
    assert "Nexthop has invalid gateway" in done.stderr
    assert virsh(routed, "h2", "hostname") == "h2"


def test_a_host_dies_whole_and_boots_again_on_its_disk(it: Hosts) -> None:
    first = it.pid("h2")
    namespace = Path(f"/proc/{first}/ns/pid").stat().st_ino
    assert any("libvirtd" in line for line in processes(namespace))
    it.run("h2", "touch", "/var/lib/cloudsync/kept", "/run/lost")
    it.stop("h2")
    assert it.pid("h2") is None
    assert processes(namespace) == []
    assert not reaches(it, "h1", "h2")
    assert reaches(it, "h1", "h3")
    it.start("h2")
    assert virsh(it, "h2", "hostname") == "h2"
    it.run("h2", "ls", "/var/lib/cloudsync/kept", "/run/cloudsync/agent.sock")
    assert it.run("h2", "ls", "/run/lost", check=False).returncode != 0
    assert reaches(it, "h1", "h2")


def test_its_guests_run_again_after_the_power_was_cut(it: Hosts) -> None:
    """A cloud of its own on one host, applied there: tap, rules, record and machine are back without an apply."""
    spec = it.folder / "alone.yaml"
    here = HOST.format(name="here", uri="qemu:///system", more="")
    spec.write_text(blank_spec(it.folder / "blank.raw", 1, [here]))
    it.run("h3", "cloudsync", "-f", str(spec), "apply", "-y")
    it.stop("h3")
    it.start("h3")
    it.run("h3", "cloudsync", "-f", str(spec), "plan", "--detailed-exitcode")
    assert "cannot be loaded" not in it.log("h3"), "the guard had the rules in before there was a network"
    assert virsh(it, "h3", "domstate", "box-1") == "running"
    assert virsh(it, "h1", "list", "--all", "--name") == ""
    it.run("h3", "cloudsync", "-f", str(spec), "destroy", "-y", "--allow-destroy")


def test_one_that_cannot_boot_says_why(it: Hosts) -> None:
    config = it.folder / "hosts" / "h3" / "sshd_config"
    right = config.read_text()
    it.stop("h3")
    config.write_text("Nonsense yes\n")
    try:
        with pytest.raises(RuntimeError, match=r"h3 did not boot(.|\n)*Nonsense"):
            it.start("h3")
        assert it.pid("h3") is None
    finally:
        config.write_text(right)
        it.start("h3")


def test_another_process_finds_it_as_it_is(it: Hosts) -> None:
    found = Hosts.found(it.folder)
    assert found is not None
    assert [found.pid(name) for name in found.names] == [it.pid(name) for name in it.names]
    assert found.spec() == it.spec()
