"""The only door that runs dnsmasq: start one, find one that an earlier agent left, make it read again, stop it.

A process is known by the configuration file on its command line, whose name tells the network namespace that it was
started in: so an agent that was killed never leaves two, and needs no power over other users' processes to see it.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import HostError

_OPTION = "--conf-file="
_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
_PATIENCE = 10.0
_STARTED = "started, version"
_LONGEST_LOG = 1 << 20
_OWN_NETWORK = Path("/proc/self/ns/net")


@dataclass(frozen=True, slots=True)
class Process:
    """A running dnsmasq of ours; `title` is the name of its configuration file."""

    pid: int
    title: str


def user() -> str:
    """Whom dnsmasq becomes: its own user where its package made one."""
    with suppress(KeyError):
        return pwd.getpwnam("dnsmasq").pw_name
    return "nobody"


def path(folder: Path, title: str, namespace: Path = _OWN_NETWORK) -> Path:
    """Where a configuration belongs, of a dnsmasq that serves in `namespace` (this process's own)."""
    return folder / f"{namespace.stat().st_ino}-{title}"


def running(folder: Path, namespace: Path = _OWN_NETWORK, known: int | None = None) -> tuple[Process, ...]:
    """Those that run on a configuration in `folder`, whoever started them. Dead ones have no command line.

    One in another network namespace than `namespace` serves another host's guests: a container's folder may well have
    the same name. While process `known` is one of them, no other is looked for.
    """
    before = str(path(folder, "", namespace))
    if known is not None and (titles := _titles(known, before)):
        return tuple(Process(known, title) for title in titles)
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return tuple(Process(pid, title) for pid in pids for title in _titles(pid, before))


def _titles(pid: int, before: str) -> list[str]:
    """The command line is open to everybody; the process's namespaces and files only to who may trace it."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        if Path(words[0]).name == "dnsmasq":
            option = _OPTION + before
            return [word.removeprefix(option) for word in words if word.startswith(option)]
    return []


def check(configuration: Path) -> None:
    """Raise HostError, with dnsmasq's words, when it would not take this file."""
    command = [_program(), "--test", f"{_OPTION}{configuration}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_ENVIRONMENT)
    if done.returncode:
        raise HostError(f"dnsmasq refused its configuration: {_last(done.stderr)}", f"{configuration} has it")


def start(configuration: Path, log: Path) -> "subprocess.Popen[bytes]":
    """Return when it serves; raise HostError with its last words when it ends instead.

    It outlives the agent.
    """
    with log.open("ab", buffering=0) as sink:
        os.ftruncate(sink.fileno(), 0)
        child = subprocess.Popen(
            [_program(), "--keep-in-foreground", f"{_OPTION}{configuration}"],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            env=_ENVIRONMENT,
        )
    deadline = time.monotonic() + _PATIENCE
    while _STARTED not in (said := log.read_text(errors="replace")):
        if child.poll() is not None:
            raise HostError(f"dnsmasq ended at once: {last(log)}", f"see {log}")
        if time.monotonic() > deadline:
            stop(child.pid)
            child.wait()
            raise HostError(f"dnsmasq did not start within {_PATIENCE:.0f} s: {_last(said)}", f"see {log}")
        time.sleep(0.005)
    return child


def reload(found: Process, log: Path) -> None:
    """Have it read guests and names again; it forgets what it cached."""
    with suppress(OSError):
        if log.stat().st_size > _LONGEST_LOG:
            os.truncate(log, 0)
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGHUP)


def stop(pid: int) -> None:
    """End it, asked first and then forced; return when it is gone."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
            if not _ended(descriptor):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                _ended(descriptor)
        finally:
            os.close(descriptor)


def _ended(descriptor: int) -> bool:
    import select

    ready, _, _ = select.select([descriptor], [], [], 5.0)
    return bool(ready)


def _program() -> str:
    found = shutil.which("dnsmasq", path=_ENVIRONMENT["PATH"])
    if found is None:
        raise HostError("dnsmasq is not installed: instances would get no address", "sudo apt-get install dnsmasq-base")
    return found


def last(log: Path) -> str:
    """Its last words."""
    with suppress(OSError):
        return _last(log.read_text(errors="replace"))
    return _last("")


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "it said nothing"
