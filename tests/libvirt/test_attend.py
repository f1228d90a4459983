"""What a host tells unasked: a real libvirt and a real agent, struck by hand."""

import socket
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from threading import enumerate as threads

import pytest

from cloudsync.hosts.attend import attending
from cloudsync.hosts.host import Host
from cloudsync.hosts.libvirt.connection import Connection
from cloudsync.model.step import PutDocument
from tests.agent.documents import document
from tests.agent.lab import Lab as Agent
from tests.lab.standins import PATIENCE
from tests.libvirt.conftest import Lab
from tests.libvirt.steps import create, perform

pytestmark = pytest.mark.real


def test_what_happens_to_machines_by_hand_is_heard(host: Host, lab: Lab, agent: Agent) -> None:
    """And of others' machines nothing is."""
    heard: Queue[tuple[str, str, str]] = Queue()
    lost = Event()
    web = replace(lab.instance(), user_data=None)
    written = document(cloud="lab", host="here", instances={web.name: web}, user_data={})
    agent.first.drifts("a rule is missing")
    perform(host, PutDocument(id="p", host="here", address="host.here", document=written, base=0), create(web))
    with attending(host, lambda *words: heard.put(words), lost.set):
        assert heard.get(timeout=PATIENCE) == ("", "host.here", "here: group.default: a rule is missing")
        raw = lab.connection.raw
        stranger = raw.lookupByUUIDString(lab.foreign("stranger"))
        stranger.create()
        stranger.destroy()
        raw.lookupByUUIDString(web.uuid).destroy()
        assert heard.get(timeout=PATIENCE) == (web.uuid, "instance.web-1", "web-1 stopped on here")
        raw.lookupByUUIDString(web.uuid).undefine()
        assert heard.get(timeout=PATIENCE) == (web.uuid, "instance.web-1", "web-1 was undefined on here")
        assert heard.empty()
        assert not lost.is_set()
        agent.end()
        assert lost.wait(PATIENCE), "the agent has ended"
    assert [one.name for one in threads() if one.name.startswith("alerts")] == []


def test_a_connection_that_is_closed_is_lost(host: Host, agent: Agent) -> None:
    """To every one who listens: whoever opens it anew would hear, and the others not."""
    lost = [Event(), Event()]
    with ExitStack() as stack:
        for one in lost:
            stack.enter_context(attending(host, lambda *_: None, one.set))
        host.seat.connection.close()
        for one in lost:
            assert one.wait(PATIENCE)


class Relay:
    """A way to libvirt that can be cut, or fall silent."""

    def __init__(self, path: Path) -> None:
        self._lines: list[socket.socket] = []
        self._over, self._silent = Event(), Event()
        self.uri = f"qemu+unix:///system?socket={path}"
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(path))
        self._door.listen()
        Thread(target=self._serve, name="relay", daemon=True).start()

    def cut(self) -> None:
        for line in self._lines:
            line.shutdown(socket.SHUT_RDWR)

    def fall_silent(self) -> None:
        self._silent.set()

    def close(self) -> None:
        self.cut()
        self._door.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._door.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect("/run/libvirt/libvirt-sock")
                self._lines += [here, there]
                for one, other in ((here, there), (there, here)):
                    Thread(target=self._carry, args=(one, other), name="relay", daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                if not self._silent.is_set():
                    other.sendall(data)


def test_a_way_that_breaks_is_lost_at_once_and_heard_again(lab: Lab, tmp_path: Path) -> None:
    heard: Queue[tuple[str, str, str]] = Queue()
    web = lab.run(lab.instance())
    with closing(Relay(tmp_path / "s")) as relay, closing(Connection("here", relay.uri)) as connection:
        for _ in range(3):
            lost = Event()
            with connection.attending(lambda *words: heard.put(words), lost.set):
                lab.domains.stop(web.uuid, web.name, 0)
                assert heard.get(timeout=PATIENCE) == (web.uuid, "web-1", "stopped")
                lab.domains.start(web.uuid, web.name)
                relay.cut()
                assert lost.wait(PATIENCE)
    assert [one.name for one in threads() if one.name.startswith("libvirt")] == ["libvirt-events"]
