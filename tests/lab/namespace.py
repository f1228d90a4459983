"""One network namespace that a test made: run programs in it, or open sockets in it from the test's own process."""

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Namespace:
    name: str

    @classmethod
    def new(cls, purpose: str) -> "Namespace":
        """A fresh one named `cst-<random>-<purpose>` with its loopback up and IPv6 silent."""
        return cls.named(f"cst-{secrets.token_hex(4)}-{purpose}")

    @classmethod
    def named(cls, name: str) -> "Namespace":
        """A fresh one that a person can find."""
        made = cls(name)
        ip("netns", "add", made.name)
        made._silence()
        made.ip("link", "set", "lo", "up")
        # A new namespace starts with the machine's settings, and this machine may forward for guests of its own.
        made.sysctl("net/ipv4/ip_forward", 0)
        made.sysctl("net/ipv6/conf/all/disable_ipv6", 1)
        made.sysctl("net/ipv6/conf/default/disable_ipv6", 1)
        return made

    def ip(self, *arguments: str) -> str:
        """`ip -n NAME …`; raises CalledProcessError."""
        return ip("-n", self.name, *arguments)

    def _silence(self) -> None:
        silence(self.ip)

    def run(self, *command: str, stdin: str = "", check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, *command], input=stdin, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}{done.stdout}"
        return done

    def sysctl(self, name: str, value: int) -> None:
        """Set `net/…`, or leave it where this kernel has no such setting."""

        def put() -> None:
            path = Path("/proc/sys") / name
            if path.exists():
                path.write_text(f"{value}\n")

        self.enter(put)

    def enter(self, act: "Callable[[], T]") -> T:
        """`act()` in a thread that has moved into the namespace: sockets that it opens stay there for good."""
        box: list[T] = []
        problems: list[BaseException] = []

        def work() -> None:
            try:
                self._move()
                box.append(act())
            except BaseException as problem:
                problems.append(problem)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if problems:
            raise problems[0]
        return box[0]

    def become(self) -> None:
        """What `ip netns exec` does: this process, which has one thread, is in it from now on, and sees its /sys."""
        self._move()
        if _libc.unshare(_CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "cannot make a namespace", "unshare")
        for command in ("mount --make-rslave /", "umount --lazy /sys", "mount -t sysfs sysfs /sys"):
            subprocess.run(command.split(), check=True)

    def _move(self) -> None:
        """This thread."""
        with Path(f"/run/netns/{self.name}").open() as handle:
            if _libc.setns(handle.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"cannot enter {self.name}")

    def socket(self, kind: int = socket.SOCK_STREAM, family: int = socket.AF_INET, protocol: int = 0) -> socket.socket:
        return self.enter(lambda: socket.socket(family, kind, protocol))

    def remove(self) -> None:
        """End every process in it, then the namespace and its devices."""
        pids = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False).stdout
        for pid in pids.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        with suppress(subprocess.CalledProcessError):
            self._silence()
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)


def silence(ip: Callable[..., str]) -> None:
    """An address that is answered for on every device outlives its namespace in the kernel, and comes up in a later
    one."""
    for line in ip("neigh", "show", "proxy").splitlines():
        ip("neigh", "del", "proxy", *line.partition(" proxy")[0].split())


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True).stdout
