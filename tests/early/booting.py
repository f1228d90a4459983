"""A host that boots: what the agent stored is on its disk, its network is plugged, and nothing of ours is loaded yet.

Forwarding is on from the first moment, as another program may have it.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cloudsync.agent.parts import end_processes
from cloudsync.agent.store import Store
from cloudsync.hosts.agent_client import AgentClient
from cloudsync.model.document import HostDocument
from tests.early.streams import Ears, Streams, streams
from tests.early.units import GUARD, settings
from tests.firewall.documents import document, egress, group, ingress, instance
from tests.lab import copied
from tests.lab.copied import Copy
from tests.lab.namespace import Namespace
from tests.lab.standins import OUTSIDE, PATIENCE, Guest, Lab, standins

IN, OUT, SHUT = 80, 7000, 9
"""Ports: what may come in, what may go out, and what may do neither."""
RULES = group("web", ingress("any", "udp", (IN, IN)), egress("any", "udp", (OUT, OUT)))
GUEST = instance("guest", "10.20.0.11", ("web",))
DOCUMENT = replace(document([GUEST], [RULES]), generation=1)
_ROOT = Path(__file__).parents[2]


class Host:
    """`lab` without guests, a state folder, and streams from outside to where the guest will be."""

    def __init__(self, lab: Lab, traffic: Streams) -> None:
        self.lab, self.traffic = lab, traffic
        self.state = lab.run / "state"
        self.socket = lab.run / "agent.sock"
        self.outside = traffic.listen(lab.outside.namespace, OUTSIDE)
        self.inside = Ears()
        self.agent: Copy | None = None
        traffic.send(lab.outside.namespace, GUEST.nics[0].address, IN, SHUT)

    def store(self, wanted: HostDocument = DOCUMENT) -> None:
        self.state.mkdir(mode=0o700)
        store = Store(self.state)
        store.stage(wanted)
        store.commit()

    def guard(self, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """What the unit runs before the network and libvirt, and what it may do."""
        unit = settings(GUARD.read_text())
        assert unit["ExecStart"][:3] == ["/usr/bin/env", "cloudsync", "agent"]
        powers = ",".join(f"+{name.removeprefix('CAP_').lower()}" for name in unit["CapabilityBoundingSet"])
        return subprocess.run(
            self._command(
                *unit["ExecStart"][3:], under=("setpriv", "--bounding-set", f"-all,{powers}", "--no-new-privs")
            ),
            cwd=_ROOT,
            env=os.environ | (environment or {}),
            capture_output=True,
            text=True,
            check=False,
        )

    def uninstall(self) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(self._command("--uninstall"), cwd=_ROOT, capture_output=True, text=True, check=False)

    def plug(self) -> Guest:
        """libvirt starts the guest, which talks at once."""
        namespace = Namespace.new("guest")
        self.inside = self.traffic.listen(namespace)
        guest = self.lab.add_guest(GUEST, DOCUMENT.networks, namespace=namespace)
        self.traffic.send(namespace, OUTSIDE, OUT, SHUT)
        return guest

    def start(self) -> None:
        """The agent; returns when it says that it is ready."""
        notify = self.lab.run / "n.sock"
        notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(notify))
            ready.settimeout(PATIENCE)
            environment = os.environ | {"NOTIFY_SOCKET": str(notify)}
            self.agent = copied.agent(self._options(), environment, self.lab.run / "log", self.lab.host)
            assert ready.recv(100) == b"READY=1"

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        assert self.agent
        self.agent.send_signal(number)
        self.agent.wait(PATIENCE)
        self.agent = None

    @property
    def client(self) -> AgentClient:
        return AgentClient(self.socket, "kvm-1")

    def nothing_passes(self) -> None:
        """Of all that is sent from now on."""
        self.traffic.rounds(5)
        before = self.passed()
        self.traffic.rounds()
        assert self.passed() == before

    def passed(self) -> tuple[dict[int, int], dict[int, int]]:
        """By now."""
        for ears in (self.inside, self.outside):
            ears.caught_up()
        return dict(self.inside.heard), dict(self.outside.heard)

    def only_what_may_passes(self) -> None:
        """Both ways, again and again; and what may not never has."""
        self.inside.more(IN)
        self.outside.more(OUT)
        self.nothing_forbidden_ever_passed()

    def nothing_forbidden_ever_passed(self) -> None:
        assert SHUT not in self.inside.heard, self.inside.heard
        assert SHUT not in self.outside.heard, self.outside.heard

    def _options(self) -> list[str]:
        folders = {
            "--socket": self.socket,
            "--state": self.state,
            "--pool": self.lab.run / "pool",
            "--run": self.lab.run,
        }
        return [str(word) for pair in folders.items() for word in pair]

    def _command(self, *more: str, under: tuple[str, ...] = ()) -> list[str]:
        inside = ["ip", "netns", "exec", self.lab.host.name]
        return [*inside, *under, sys.executable, "-m", "cloudsync", "agent", *self._options(), *more]

    def clear(self) -> None:
        if self.agent:
            self.end(signal.SIGKILL)
        end_processes(self.lab.run, self.state)


@contextmanager
def booting() -> Iterator[Host]:
    empty = replace(DOCUMENT, instances={})
    with standins(empty) as lab, streams() as traffic:
        lab.host.sysctl("net/ipv4/ip_forward", 1)
        host = Host(lab, traffic)
        try:
            yield host
        finally:
            host.clear()
