"""One agent process with its real parts (nftables, ip rules, dnsmasq, metadata) in a network namespace of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cloudsync.agent.dnsmasq import process
from cloudsync.agent.metadata import predecessor
from cloudsync.agent.serve import serve
from tests.agent.lab import REPOSITORY, Lab
from tests.lab.copied import Copy, Process, stand_in, write_to
from tests.lab.namespace import Namespace

SERVE = """
import sys
from pathlib import Path
from cloudsync.agent.serve import serve
root = Path(sys.argv[1])
sys.exit(serve(root / "a.sock", root / "state", root / "pool", root / "run"))
"""

STRANGER = """
import socket, sys
try:
    with socket.create_connection(("127.0.0.1", 8775), 20) as guest:
        guest.sendall(b"GET /latest/meta-data/ HTTP/1.0\\r\\n\\r\\n")
        sys.exit(b" 404 " not in guest.recv(100))
except ConnectionRefusedError:
    sys.exit(2)
"""


class RealLab(Lab):
    """Everything of it runs in the namespace; the socket is a file, so the client needs not to be in there.

    `under` is a command that runs another one, with less than root may do.
    """

    def __init__(self, root: Path, under: Sequence[str] = ()) -> None:
        super().__init__(root)
        self.under = under
        self.namespace = f"cs-agent-{os.getpid()}"
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)
        self.inside("ip", "link", "set", "lo", "up")

    def inside(self, *words: str | Path) -> str:
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def command(self, *words: str | Path) -> list[str]:
        return ["ip", "netns", "exec", self.namespace, *map(str, words)]

    def launch(self, more: dict[str, str] | None = None) -> Process:
        environment = os.environ | (more or {})
        if not self.under:
            return Copy(_serve, Namespace(self.namespace), self.root, environment)
        with (self.root / "log").open("a") as log:
            return subprocess.Popen(
                self.command(*self.under, sys.executable, "-c", SERVE, self.root),
                cwd=REPOSITORY,
                env=environment,
                stderr=log,
                stdout=log,
                text=True,
            )

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def state(self) -> Path:
        return self.root / "state"

    def resolvers(self) -> list[int]:
        found = process.running(self.run / "dnsmasq", Path("/run/netns", self.namespace))
        return [one.pid for one in found]

    def metadata_answers(self) -> bool:
        """A stranger gets a 404."""
        return subprocess.run(self.command(sys.executable, "-c", STRANGER), check=False).returncode == 0

    def children(self) -> list[int]:
        """Processes of the namespace but the agent itself."""
        pids = map(int, subprocess.check_output(["ip", "netns", "pids", self.namespace], text=True).split())
        return [pid for pid in pids if self.process is None or pid != self.process.pid]

    def clear(self) -> None:
        if self.process is not None:
            self.end(signal.SIGKILL)
        predecessor.end(self.state)
        for pid in self.children():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        subprocess.run(["ip", "netns", "del", self.namespace], check=True)


def _serve(place: Namespace, root: Path, environment: dict[str, str]) -> None:
    """What SERVE does."""
    place.become()
    stand_in(environment, str(REPOSITORY))
    write_to(root / "log", root / "log", how=os.O_APPEND)
    sys.exit(serve(root / "a.sock", root / "state", root / "pool", root / "run"))


@contextmanager
def real_lab(under: Sequence[str] = ()) -> Iterator[RealLab]:
    """Not below pytest's own folder, which dnsmasq's user may not enter."""
    root = Path(subprocess.check_output(["mktemp", "-d", "/tmp/cloudsync-agent-XXXXXX"], text=True).strip())
    root.chmod(0o755)
    lab = RealLab(root, under)
    try:
        lab.start()
        yield lab
    finally:
        lab.clear()
        subprocess.run(["rm", "-rf", root], check=True)
