"""The hosts that things are done to: this private machine, or the three of a lab; and their daemons, which come back.

`mend` is what systemd does: what should run is started, whoever ended it.
"""

import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from cloudsync.agent.parts import end_processes
from tests.kill.blows import fell, running, unplug
from tests.kill.spec import draw_images
from tests.lab.host import CLOUDSYNC, ENVIRONMENT
from tests.lab.lab import Hosts, lab

PATIENCE = 60.0
MORE = "overcommit: {vcpus: 64, disk: 64}, reserved: {memory: 0MiB, disk: 0GiB}"
Blow = Callable[[], None]


class Place(Protocol):
    """`folder` has the images; `hosts` are the lines of a spec."""

    @property
    def folder(self) -> Path: ...

    @property
    def hosts(self) -> Mapping[str, str]: ...

    def shell(self, host: str, script: str) -> str:
        """What a script says that runs as root there."""

    def mend(self) -> None: ...

    def blow(self, what: str, host: str) -> Blow:
        """`what` is a daemon's name, or `power`."""

    def logs(self) -> str: ...


class Here:
    """This machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts: Mapping[str, str] = {"here": f"{{uri: 'qemu:///system', {MORE}}}"}
        self._log = folder / "agent.log"

    def shell(self, host: str, script: str) -> str:
        return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout

    def mend(self) -> None:
        if not running("libvirtd"):
            started(["libvirtd"], os.environ, self._log)
        if not running("agent"):
            started([sys.executable, "-m", "cloudsync", "agent"], os.environ, self._log)

    def blow(self, what: str, host: str) -> Blow:
        return partial(fell, what)

    def logs(self) -> str:
        return self._log.read_text(errors="replace")[-6000:]


class Lab:
    """Hosts on a wire."""

    def __init__(self, it: Hosts) -> None:
        self.it = it
        self.folder = it.folder
        self.hosts: Mapping[str, str] = {
            name: f"{{uri: '{it.uri(name)}', address: {seat.address}, {MORE}}}" for name, seat in it.seats.items()
        }

    def shell(self, host: str, script: str) -> str:
        return self.it.run(host, "sh", "-c", script).stdout

    def mend(self) -> None:
        self.it.start(*self.it.names)
        for host in self.it.names:
            for name, command in (("libvirtd", "libvirtd"), ("agent", f"{CLOUDSYNC} agent")):
                if not running(name, self.it.pid(host)):
                    self._start(host, command.split())

    def _start(self, host: str, command: list[str]) -> None:
        inside = self.it.inside(host, "env")
        started([*inside, "NOTIFY_SOCKET={}", *command], ENVIRONMENT, self.folder / "hosts" / host / "again.log")

    def blow(self, what: str, host: str) -> Blow:
        return partial(unplug, self.folder, host) if what == "power" else partial(fell, what, self.it.pid(host))

    def logs(self) -> str:
        return self.it.logs()


def started(command: list[str], environment: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """A daemon that says that it is ready; `{}` in a word is where."""
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as folder,
        log.open("ab") as said,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready,
    ):
        path = f"{folder}/notify"
        ready.bind(path)
        words = [word.replace("{}", path) for word in command]
        daemon = subprocess.Popen(words, env={**environment, "NOTIFY_SOCKET": path}, stdout=said, stderr=said)
        gone = os.pidfd_open(daemon.pid)
        try:
            while True:
                heard, _, _ = select.select([ready.fileno(), gone], [], [], PATIENCE)
                assert ready.fileno() in heard, f"{command[-1]} did not start\n{log.read_text()[-2000:]}"
                if b"READY=1" in ready.recv(4096):
                    return daemon
        finally:
            os.close(gone)


@contextmanager
def one_host(folder: Path) -> Iterator[Here]:
    draw_images(folder)
    place = Here(folder)
    place.mend()
    try:
        yield place
    except BaseException:
        print(place.logs(), file=sys.stderr)
        raise
    finally:
        fell("agent")
        end_processes()


@contextmanager
def three_hosts() -> Iterator[Lab]:
    with lab(hosts=3) as it:
        draw_images(it.folder)
        yield Lab(it)
