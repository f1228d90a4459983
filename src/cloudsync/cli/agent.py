"""`agent`: the host daemon."""

import os
from pathlib import Path

from cloudsync.cli.listening import readers
from cloudsync.cli.say import say
from cloudsync.hosts.program import as_root
from cloudsync.model.problem import CloudsyncError


def serve(socket: Path, state: Path, pool: Path, run: Path, metadata_port: int, metrics: str | None) -> int:
    """Run it in the foreground. `metrics` is ADDRESS:PORT."""
    from cloudsync.agent import garbage
    from cloudsync.agent.serve import serve as run_agent

    _need_root()
    garbage.seldom()
    return run_agent(socket, state, pool, run, metadata_port, readers(metrics) if metrics else None)


def guard(socket: Path, state: Path, pool: Path, run: Path, metadata_port: int) -> int:
    """Before guests start: hold them to the stored rules, or shut them off."""
    from cloudsync.agent.serve import guard as close

    _need_root()
    return close(socket, state, pool, run, metadata_port)


def uninstall_parts(socket: Path, run: Path, state: Path) -> int:
    """End what the agent left running, take what it put into the kernel out again; machines and disks stay."""
    from cloudsync.agent.parts import remove

    _need_root()
    remove(socket, run, state)
    # What it was before nobody knows, and others may forward by now.
    say("this host's settings stay as they are, and it may go on forwarding: sysctl -w net.ipv4.ip_forward=0 ends that")
    return 0


def _need_root() -> None:
    if os.geteuid() != 0:
        raise CloudsyncError("the agent owns the host's firewall and routes, so it needs root", as_root("agent"))
