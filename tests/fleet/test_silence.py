"""A host that is silent costs its timeout once a command, and nothing of the way to it is left behind."""

import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cloudsync.hosts.fleet import Fleet
from cloudsync.hosts.host import Host
from cloudsync.hosts.sim import SimHost
from cloudsync.hosts.tunnel import Tunnel
from cloudsync.model.cloud import Host as Wanted
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import HostState, HostStatus
from cloudsync.spec.remote import Remote


class Counting(SimHost):
    """`answers` are what it says, one after the other."""

    def __init__(self, *answers: HostStatus) -> None:
        super().__init__("far", "sim:", None)
        self.answers = list(answers)

    def observe(self) -> HostState:
        return HostState(name=self.name, status=self.answers.pop(0))


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Short, so that sockets have room in it."""
    with TemporaryDirectory(prefix="cs-") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def program(folder: Path, text: str) -> str:
    """In place of ssh."""
    found = folder / "ssh"
    found.write_text(f"#!/bin/sh\necho called >> {folder}/calls\n{text}\n")
    found.chmod(found.stat().st_mode | stat.S_IXUSR)
    return str(found)


def test_who_was_silent_is_not_asked_again() -> None:
    host = Counting(HostStatus.READY, HostStatus.UNREACHABLE)
    fleet = Fleet({"far": host}, {"far": Wanted(name="far", uri="sim:")})
    assert [fleet.observe().hosts["far"].status.value for _ in range(4)] == ["ready", *["unreachable"] * 3]


def test_a_way_that_failed_is_not_tried_again_for_each_thing_at_its_end(tmp_path: Path, runtime: Path) -> None:
    """Agent and libvirt are asked through one connection."""
    ssh = program(tmp_path, "sleep 0.3; echo no route")
    host = Host(Wanted(name="far", uri=f"qemu+ssh://root@far/system?command={ssh}"), "demo")
    for _ in range(2):
        assert "no route" in host.observe().reason
    host.close()
    assert (tmp_path / "calls").read_text().split() == ["called"] * 2
    assert list(runtime.iterdir()) == []


def test_nothing_goes_through_a_tunnel_that_is_closed(tmp_path: Path, runtime: Path) -> None:
    """A question that was given up may still be about to use it."""
    ssh = program(tmp_path, "echo cloudsync-ready; exec sleep 60")
    tunnel = Tunnel("far", Remote(host="far", program=ssh), ("/run/a",))
    assert tunnel.socket("/run/a").parent.parent == runtime
    tunnel.close()
    with pytest.raises(HostError, match="host far"):
        tunnel.socket("/run/a")
    assert "host far" in tunnel.trouble("/run/a").message
    assert list(runtime.iterdir()) == []
