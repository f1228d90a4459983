"""Three real hosts behind ssh: observed at once, one of them gone, given up, and back."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest

from cloudsync.hosts.agent_client import AgentClient
from cloudsync.hosts.host import SOCKET, Host
from cloudsync.spec.load import load
from tests.effort import PATIENCE
from tests.fleet.conftest import Desk
from tests.lab.eventually import eventually
from tests.lab.lab import Hosts, lab

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def it() -> Iterator[Hosts]:
    with lab(hosts=3) as found:
        yield found


@pytest.fixture
def desk(it: Hosts) -> Iterator[Desk]:
    """A cloud of three, one guest on each host."""
    found = Desk(it.write_spec(it.spec(count=3)))
    found.done("apply", "-y")
    yield found
    it.start(*it.names)
    found.done("destroy", "-y", "--allow-destroy")


def rows(desk: Desk, section: str = "instances") -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(desk.done("status", "--format", "json"))[section]
    return found


def running(it: Hosts, host: str) -> list[str]:
    return it.run(host, "virsh", "-q", "list", "--name").stdout.split()


def test_a_host_is_unplugged_given_up_and_back(it: Hosts, desk: Desk) -> None:
    (lost,) = [str(row["name"]) for row in rows(desk) if row["host"] == "h2"]
    address = next(row["addresses"] for row in rows(desk) if row["name"] == lost)
    it.stop("h2")
    began = monotonic()
    plan = desk.done("plan")
    assert monotonic() - began < 12
    assert "h2 ✗ unreachable: 1 instance there is left alone" in plan
    assert "Nothing to do." in plan
    desk.done("apply", "-y")
    assert lost not in running(it, "h1") + running(it, "h3")
    assert f"instance.{lost}" in desk.done("plan", "--evacuate", "h2")
    assert "this plan destroys data" in desk.failed("apply", "-y", "--evacuate", "h2")
    desk.done("apply", "-y", "--evacuate", "h2", "--allow-destroy")
    (new,) = [row for row in rows(desk) if row["name"] == lost]
    assert new["addresses"] == address
    assert lost in running(it, str(new["host"]))

    it.start("h2")
    assert running(it, "h2") == [lost], "libvirt starts it with the host, before anybody is asked"
    (copy,) = [row for row in rows(desk) if row["name"] == lost and row["host"] == "h2"]
    assert "the next apply stops it" in str(copy["problems"])
    assert "the copy that was given up is stopped" in desk.done("apply", "-y")
    assert running(it, "h2") == []
    assert "Nothing to do." in desk.done("plan")
    it.stop("h2")
    it.start("h2")
    assert running(it, "h2") == []
    desk.done("apply", "-y", "--evacuate", "h2", "--allow-destroy")
    assert it.run("h2", "virsh", "-q", "list", "--all", "--name").stdout.split() == []
    assert [row["name"] for row in rows(desk) if row["host"] == "h2"] == []


def test_another_clouds_host_among_ours(it: Hosts, desk: Desk, tmp_path: Path) -> None:
    """It is left alone, and the others go on."""
    text = it.spec(count=1).replace("cloud: lab", "cloud: other")
    other = Desk(it.folder / "other.yaml")
    other.spec.write_text(text)
    said = other.failed("plan")
    assert "it belongs to cloud lab, which has 1 instance(s) here" in said


def test_two_hosts_with_one_uuid(it: Hosts, desk: Desk) -> None:
    conf = "/etc/libvirt/libvirtd.conf"
    before = {name: it.run(name, "grep", "^host_uuid", conf).stdout.strip() for name in ("h1", "h2")}
    it.run("h2", "sed", "-i", f"s/^host_uuid.*/{before['h1']}/", conf)
    it.stop("h2")
    it.start("h2")
    try:
        said = desk.done("plan")
        assert "host.h1 and host.h2 have one libvirt UUID" in said
        assert "host_uuid" in said
    finally:
        it.run("h2", "sed", "-i", f"s/^host_uuid.*/{before['h2']}/", conf)
        it.stop("h2")
        it.start("h2")


def test_a_host_that_says_nothing_is_told_beside_the_others(it: Hosts, desk: Desk) -> None:
    """What that costs is for `make bench`."""
    it.run("h3", "nft", "add table inet mute; add chain inet mute in { type filter hook input priority -300; "
           "policy accept; }; add rule inet mute in tcp dport 22 drop")  # fmt: skip
    try:
        assert "h1 ✓  h2 ✓  h3 ✗ unreachable" in desk.done("plan")
    finally:
        it.run("h3", "nft", "delete table inet mute")


def test_a_lock_whose_owner_is_cut_off_is_free_again_before_sshd_notices(it: Hosts, desk: Desk) -> None:
    held = ["curl", "-s", "--unix-socket", SOCKET, "http://agent/v1/lock"]
    lost = threading.Event()
    far = Host(load(desk.spec).hosts["h3"], "lab")
    with closing(far), AgentClient(Path(SOCKET), "h3", far.tunnel).lock("far@away", lost.set, lease=3):
        assert "far@away" in it.run("h3", *held).stdout
        refused = desk.type("apply", "-y")
        assert (refused.returncode, "far@away" in refused.stderr) == (4, True)
        it.run("h3", "nft", "add table inet mute; add chain inet mute in { type filter hook input priority -300; "
               "policy accept; }; add rule inet mute in tcp dport 22 drop")  # fmt: skip
        try:
            eventually(lambda: it.run("h3", *held).stdout, "null")
            assert lost.wait(PATIENCE)
        finally:
            it.run("h3", "nft", "delete table inet mute")
    desk.done("apply", "-y")
