"""Several hosts on this machine, each with its own libvirt, sshd and agent: `with lab(hosts=3) as it:`.

As root. All is reached as on real hosts: by ssh and by the URIs of `it.spec()`. `play` does the same for a person.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.lab import host
from tests.lab.cloud import HOST, blank_image, blank_spec
from tests.lab.copied import Copy, Passed
from tests.lab.disk import disk, drop
from tests.lab.keys import Keys
from tests.lab.machine import PATIENCE, STATE
from tests.lab.underlay import Underlay, remove

FABRICS = {"flat": "direct", "routed": "vxlan"}


class Hosts:
    """A lab in `folder`: what is there is read from it, so that another process can go on with it."""

    def __init__(self, folder: Path, count: int, underlay: str) -> None:
        self.folder = folder
        self.underlay = Underlay(underlay, count)
        self.seats = {seat.name: seat for seat in self.underlay.hosts}
        self.keys = Keys(folder / "ssh")

    @classmethod
    def found(cls, folder: Path) -> "Hosts | None":
        kept = _kept(folder)
        return cls(folder, kept["count"], kept["underlay"]) if kept else None

    @property
    def names(self) -> list[str]:
        return list(self.seats)

    def uri(self, name: str) -> str:
        return self.keys.uri(self.seats[name])

    def spec(self, count: int = 2, more: str = "") -> str:
        """`count` blank guests on these hosts; `more` is appended to the text. `write_spec` puts it into the folder."""
        hosts = [
            HOST.format(name=name, uri=self.uri(name), more=f" address: {seat.address},")
            for name, seat in self.seats.items()
        ]
        return blank_spec(self.folder / "blank.raw", count, hosts, FABRICS[self.underlay.kind]) + more

    def write_spec(self, text: str = "") -> Path:
        path = self.folder / "cloud.yaml"
        path.write_text(text or self.spec())
        return path

    def up(self) -> None:
        """Everything anew, all hosts booted."""
        made = not STATE.exists()
        STATE.mkdir(mode=0o755, exist_ok=True)
        kept = {"count": len(self.seats), "underlay": self.underlay.kind, "made": made}
        (self.folder / "lab.json").write_text(json.dumps(kept))
        self.keys.make()
        blank_image(self.folder / "blank.raw")
        for name, seat in self.seats.items():
            host.furnish(self._of(name), seat, self.underlay.hosts)
            self.keys.serve(seat, self._of(name), host.PATH)
        self.underlay.lay()
        self.start(*self.names)
        self.write_spec()

    def start(self, *names: str) -> None:
        """Boot; returns when their agents, libvirt and sshd answer. One that runs is left alone."""
        booting = {name: self._begin(name) for name in names if self.pid(name) is None}
        for name, ear in booting.items():
            there, _, _ = select.select([ear], [], [], PATIENCE)
            heard = os.read(ear, len(host.UP)) if there else b""
            os.close(ear)
            if heard != host.UP:
                raise RuntimeError(f"{name} did not boot\n{self.log(name)}")

    def _begin(self, name: str) -> int:
        """A descriptor on which the host will say that it is up; at its end it died."""
        ear, mouth = os.pipe()
        try:
            assert Copy(host.main, self._of(name), Passed(mouth)).wait(PATIENCE) == 0
        finally:
            os.close(mouth)
        return ear

    def stop(self, *names: str) -> None:
        """Pull the plug: everything in it dies at once, its disk stays as it is."""
        dying = []
        for name in names:
            pid = self.pid(name)
            if pid is not None:
                dying.append(os.pidfd_open(pid))
                signal.pidfd_send_signal(dying[-1], signal.SIGKILL)
        for one in dying:
            # Readable when the last of its processes is gone: the kernel ends pid 1 after all others.
            dead, _, _ = select.select([one], [], [], PATIENCE)
            os.close(one)
            if not dead:
                raise RuntimeError(f"{', '.join(names)}: a process does not die")
        for name in names:
            self.seats[name].unplug()
            (self._of(name) / "pid").unlink(missing_ok=True)

    def down(self) -> None:
        """Nothing of it is left but the folder itself."""
        self.stop(*self.names)
        remove(self.underlay.kind)
        if _kept(self.folder).get("made"):
            drop(STATE)
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def pid(self, name: str) -> int | None:
        """Of its pid 1, seen from here; None while it is off."""
        with suppress(OSError, ValueError):
            pid = int((self._of(name) / "pid").read_text())
            if str(self._of(name)).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return pid
        return None

    def inside(self, name: str, *command: str) -> list[str]:
        """The command line that runs `command` on a host, as its console would: no network needed."""
        pid = self.pid(name)
        assert pid is not None, f"{name} is off"
        kinds = ["--mount", "--uts", "--net", "--pid"]
        environment = [f"{key}={value}" for key, value in host.ENVIRONMENT.items()]
        return ["nsenter", f"--target={pid}", *kinds, "--", "env", "--ignore-environment", *environment, *command]

    def run(self, name: str, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(self.inside(name, *command), capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert not check or done.returncode == 0, f"{name}: {' '.join(command)}: {done.stderr}{done.stdout}"
        return done

    def ssh(self, name: str, *options: str) -> list[str]:
        """The command line of an ssh to a host."""
        return [str(self.keys.client), *options, f"root@{self.seats[name].address}"]

    def logs(self) -> str:
        return "\n".join(self.log(name) for name in self.names)

    def log(self, name: str) -> str:
        """The last of what its boot, agent, sshd and libvirt said."""
        logs = [*self._of(name).glob("*.log"), self._of(name) / "disk" / "var-log-libvirt" / "libvirtd.log"]
        said = [
            f"--- {path.name} of {name}\n{path.read_text(errors='replace')[-4000:]}" for path in logs if path.exists()
        ]
        return "\n".join(said)

    def _of(self, name: str) -> Path:
        return self.folder / "hosts" / name


def _kept(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "lab.json").read_text())
    except FileNotFoundError:
        return {}
    return found


@contextmanager
def lab(hosts: int = 3, underlay: str = "flat") -> Iterator[Hosts]:
    """A lab for a test, gone afterwards; what its hosts said goes to stderr when the block fails."""
    with disk("cloudsync-lab") as folder:
        it = Hosts(folder, hosts, underlay)
        try:
            it.up()
            yield it
        except BaseException:
            print(it.logs(), file=sys.stderr)
            raise
        finally:
            it.down()
