"""As root: what the real process may not do."""

import subprocess
import sys
from pathlib import Path

import pytest

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
