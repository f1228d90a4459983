"""What only simulated hosts have: an URI that says all about them, and a state file."""

from pathlib import Path

import pytest

from cloudsync.hosts.fleet import Fleet
from cloudsync.hosts.sim import SimHost
from cloudsync.hosts.sim_state import SimState
from cloudsync.model.cloud import Cloud, Host
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import HostStatus, Usage


def host(folder: Path, path: str, name: str = "h1") -> SimHost:
    return SimHost(name, f"sim:?path={path}", folder, "demo")


def test_every_size_of_the_language_is_understood(tmp_path: Path) -> None:
    one = SimHost("h1", "sim:?vcpus=2&memory=1PiB&disk=1.5 PiB&arch=aarch64", tmp_path, "demo")
    state = one.observe()
    assert state.capacity == Usage(vcpus=2, memory=1 << 50, disk=3 << 49)
    assert state.arch == "aarch64"


@pytest.mark.parametrize("path", ["/proc/nothing/x.json", "folder", "file/x.json", "/dev/full/x", "x" * 300])
def test_a_state_that_cannot_be_kept_is_the_hosts_trouble(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    one = host(tmp_path, path)
    with pytest.raises(HostError, match="state file"):
        one.state = SimState()
    if path != "folder":  # which may have a lock beside it
        with pytest.raises(HostError, match="state file"), one.lock("alice"):
            pass


@pytest.mark.parametrize("path", ["folder", "file/x.json"])
def test_a_state_that_cannot_be_read_is_an_unreachable_host(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    assert host(tmp_path, path).observe().status is HostStatus.UNREACHABLE


def test_two_hosts_never_share_a_lock_or_a_half_written_state(tmp_path: Path) -> None:
    one, two = host(tmp_path, "st.1"), host(tmp_path, "st.2", "h2")
    with one.lock("alice"), two.lock("alice"):
        one.state = two.state = SimState()
    assert {path.name for path in tmp_path.iterdir()} == {"st.1", "st.2", "st.1.lock", "st.2.lock"}


def test_a_spec_behind_a_link_has_the_same_hosts(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "cloud.yaml").touch()
    (tmp_path / "link.yaml").symlink_to("real/cloud.yaml")
    (tmp_path / "folder").symlink_to("real")
    states = []
    for spec in ("real/cloud.yaml", "link.yaml", "folder/cloud.yaml"):
        cloud = Cloud(name="demo", digest="", path=str(tmp_path / spec), hosts={"h1": Host(name="h1", uri="sim:")})
        driver = Fleet.open(cloud).drivers["h1"]
        assert isinstance(driver, SimHost)
        states.append(driver.path)
    assert states == [tmp_path.resolve() / "real/.cloudsync/sim/h1.json"] * 3
