"""As root: what the real process may not do."""

import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from cloudsync.agent.listen import GROUP
from cloudsync.agent.metadata import confine
from cloudsync.agent.metadata.limits import Limits
from cloudsync.agent.metadata.port import listen
from cloudsync.agent.metadata.supervisor import Supervisor
from cloudsync.model.problem import HostError
from tests.effort import PATIENCE
from tests.metadata import world
from tests.metadata.running import Running

pytestmark = pytest.mark.real

INTRUDER = """
import os, socket, sys
from pathlib import Path
from cloudsync.agent.metadata.confine import confine
confine(Path(sys.argv[1]))
def attempt(name, what):
    try:
        what()
        print(name, "worked")
    except OSError as error:
        print(name, type(error).__name__)
attempt("disk", lambda: open(sys.argv[2]))
attempt("passwd", lambda: open("/etc/passwd"))
attempt("socket", lambda: socket.socket(socket.AF_UNIX).connect(sys.argv[3]))
attempt("network", lambda: socket.socket().connect(("127.0.0.1", int(sys.argv[4]))))
attempt("child", lambda: os.fork())
attempt("root", lambda: os.setuid(0))
attempt("write", lambda: open("/x", "w"))
"""


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_the_process_is_nobody(service: Running) -> None:
    found = status(service.pid)
    assert len(set(found["Uid"].split())) == 1
    assert "0" not in (*found["Uid"].split(), *found["Gid"].split())
    assert found["Groups"] == ""
    assert int(found["CapEff"], 16) == int(found["CapPrm"], 16) == int(found["CapInh"], 16) == 0
    assert found["NoNewPrivs"] == "1"
    assert found["Umask"] == "0077"


@pytest.fixture
def users(tmp_path: Path) -> Iterator[Path]:
    """This machine's users, in a file of the test's own, without the one that an agent here may have been given."""
    copy = tmp_path / "passwd"
    lines = Path("/etc/passwd").read_text().splitlines(keepends=True)
    copy.write_text("".join(line for line in lines if not line.startswith("cloudsync-metadata:")))
    subprocess.run(["mount", "--bind", copy, "/etc/passwd"], check=True)
    try:
        yield copy
    finally:
        subprocess.run(["umount", "/etc/passwd"], check=True)


def test_it_has_a_user_of_its_own(users: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with users.open("a") as file:
        file.write("cloudsync-metadata:x:64987:64988::/nonexistent:/usr/sbin/nologin\n")
    with Running(tmp_path) as running:
        running.part.apply(world.two())
        found = status(running.pid)
    assert (set(found["Uid"].split()), set(found["Gid"].split())) == ({"64987"}, {"64988"})
    assert "there is no user" not in caplog.text


def test_without_one_it_is_nobody_and_says_so(users: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = users.read_text().splitlines(keepends=True)
    users.write_text("".join(line for line in lines if not line.startswith("cloudsync-metadata:")))
    with Running(tmp_path) as running:
        running.part.apply(world.two())
        found = status(running.pid)
    assert set(found["Uid"].split()) == {str(pwd.getpwnam("nobody").pw_uid)}
    assert "there is no user cloudsync-metadata: the metadata service runs as nobody" in caplog.text


def test_one_that_cannot_be_confined_is_not_waited_for(tmp_path: Path) -> None:
    """There is no folder to be shut up in; a process that only were slow would be given all of the time."""
    listener = listen("127.0.0.1", 0)
    supervisor = Supervisor(listener, tmp_path, Limits(), lambda *_: None)
    began = monotonic()
    with pytest.raises(HostError, match=r"does not run: .*No such file"):
        supervisor.change({}, PATIENCE)
    assert monotonic() - began < PATIENCE
    supervisor.close()
    listener.close()


def test_packaging_makes_the_user_that_it_looks_for() -> None:
    lines = (Path(__file__).parents[2] / "src" / "cloudsync" / "packaging" / "sysusers.conf").read_text().splitlines()
    assert confine.USER in [line.split()[1] for line in lines if line.startswith("u ")]
    assert GROUP in [line.split()[1] for line in lines if line.startswith("g ")]


def test_the_process_sees_no_file_and_no_network(service: Running) -> None:
    proc = Path(f"/proc/{service.pid}")
    assert list((proc / "root").iterdir()) == []
    assert (proc / "ns/net").readlink() != Path("/proc/self/ns/net").readlink()
    links = (proc / "net/dev").read_text().splitlines()[2:]
    assert [link.split(":")[0].strip() for link in links] in ([], ["lo"])


def test_the_process_holds_nothing_but_its_sockets(service: Running, tmp_path: Path) -> None:
    """And its empty root folder, which libuv opens to have a descriptor to spare."""
    links = Path(f"/proc/{service.pid}/fd").iterdir()
    targets = {str(link.readlink()) for link in links if link.name not in ("0", "1", "2")}
    kinds = {target.partition(":")[0] for target in targets}
    assert kinds <= {"socket", "pipe", "anon_inode", str(tmp_path / "empty")}


def test_code_of_an_intruder_gets_nowhere(service: Running, tmp_path: Path) -> None:
    empty = tmp_path / "intruder"
    empty.mkdir(mode=0o555)
    disk = tmp_path / "disk.qcow2"
    disk.write_bytes(b"secret")
    disk.chmod(0o600)
    arguments = [str(empty), str(disk), str(tmp_path / "agent.sock"), str(service.port)]
    done = subprocess.run([sys.executable, "-c", INTRUDER, *arguments], capture_output=True, text=True, check=True)
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert "worked" not in found.values()
    assert found.keys() == {"disk", "passwd", "socket", "network", "child", "root", "write"}
