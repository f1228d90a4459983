"""Agents come and go, guests are answered all the time: the process that stays, and how the next agent gets on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

from cloudsync.agent.metadata import predecessor
from cloudsync.agent.metadata.limits import Limits
from cloudsync.agent.metadata.office import KEPT_OF_ONE
from tests.effort import PATIENCE
from tests.lab.ports import free_port
from tests.metadata import world
from tests.metadata.guest import Answer, ask
from tests.metadata.running import Running, ended

pytestmark = pytest.mark.slow

HOSTNAME = "/latest/meta-data/hostname"
POSTED = "/openstack/latest/password"
REPORT = "/cloudsync/report"
BEGIN = b'{"name": "init-network", "event_type": "start"}'
END = b'{"name": "modules-final", "event_type": "finish", "result": "SUCCESS"}'
HERE = Path(__file__).parents[2]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A folder for agents; what they leave behind is ended."""
    yield tmp_path
    predecessor.end(tmp_path)


def left(state: Path, limits: Limits | None = None) -> tuple[int, int]:
    """The port and the process of an agent that has stopped."""
    running = Running(state, limits)
    running.part.apply(world.two())
    port, pid = running.port, running.pid
    running.leave()
    return port, pid


def test_guests_are_answered_without_an_agent(state: Path) -> None:
    port, _ = left(state)
    assert ask(world.ADDRESS_A, port, HOSTNAME).body == b"web-1.demo.internal"
    assert ask(world.STRANGER, port, HOSTNAME).status == 404


def test_the_next_agent_has_the_port_and_a_process_of_its_own(state: Path) -> None:
    port, old = left(state)
    with Running(state, port=port) as running:
        running.part.apply(world.document(world.instance("new-name", world.UUID_A, world.ADDRESS_A)))
        assert running.ask(world.ADDRESS_A, HOSTNAME).body == b"new-name.demo.internal"
        assert running.pid != old
        assert ended(old)


def test_no_request_fails_while_agents_come_and_go(state: Path) -> None:
    port, _ = left(state)
    over = Event()

    def crawl() -> list[Answer]:
        found = []
        while not over.is_set():
            found.append(ask(world.ADDRESS_A, port, HOSTNAME))
        return found

    with ThreadPoolExecutor(2) as guests:
        crawls = [guests.submit(crawl) for _ in range(2)]
        try:
            for _ in range(4):
                agent = Running(state, Limits(rate=1e9, burst=1_000_000_000), port=port)
                agent.part.apply(world.two())
                agent.leave()
        finally:
            over.set()
        answers = [answer for crawled in crawls for answer in crawled.result()]
    assert len(answers) > 10
    assert {answer.body for answer in answers} == {b"web-1.demo.internal"}


def test_what_guests_report_meanwhile_is_heard_by_the_next(state: Path) -> None:
    port, _ = left(state)
    form = f"instance_id={world.UUID_A}&pub_key_ed25519={world.ED25519.replace('+', '%2B')}".encode()
    for path, body in ((REPORT, BEGIN), ("/cloudsync/phone-home", form), (REPORT, END), (POSTED, b"sealed")):
        assert ask(world.ADDRESS_A, port, path, "POST", body).status == 200
    with Running(state, port=port) as running:
        running.part.apply(world.two())
        boot = [running.boot() for _ in range(3)][-1]
        assert (boot.uuid, boot.finished, boot.host_keys) == (world.UUID_A, True, (world.ED25519,))
        assert running.ask(world.ADDRESS_A, POSTED).body == b"sealed"
        assert running.ask(world.ADDRESS_A, POSTED, "POST", b"other").status == 409
        assert running.part.drift(world.two()) == ()


def test_what_is_reported_of_a_guest_that_has_gone_is_not_heard(state: Path) -> None:
    port, _ = left(state)
    assert ask(world.ADDRESS_A, port, REPORT, "POST", END).status == 200
    assert ask(world.ADDRESS_B, port, REPORT, "POST", END).status == 200
    with Running(state, port=port) as running:
        running.part.apply(world.document(world.bare()))
        assert running.boot().uuid == world.UUID_B
        assert running.boots.empty()


def test_a_document_that_cannot_be_read_loses_no_report(state: Path) -> None:
    port, _ = left(state)
    assert ask(world.ADDRESS_A, port, REPORT, "POST", END).status == 200
    with Running(state, port=port) as running:
        running.part.apply(world.document(generation=0))
        assert running.boot().uuid == world.UUID_A


def test_a_guest_that_reports_without_end_leaves_room_for_the_others(state: Path) -> None:
    with Running(state, Limits(rate=1e9, burst=1_000_000_000)) as running:
        running.part.apply(world.two())
        port = running.port
        running.leave()
        key = "pub_key_rsa=ssh-rsa+" + "A" * 1200
        form = f"instance_id={world.UUID_A}&{key}&pub_key_ed25519={world.ED25519.replace('+', '%2B')}".encode()
        statuses = [
            ask(world.ADDRESS_A, port, "/cloudsync/phone-home", "POST", form).status
            for _ in range(KEPT_OF_ONE // 100 + 1)
        ]
        assert statuses[0] == 200
        assert statuses[-1] in (429, 503)
        assert ask(world.ADDRESS_B, port, REPORT, "POST", END).status == 200


AGENT = """
import sys
from pathlib import Path
from cloudsync.agent.metadata.service import MetadataPart
from tests.metadata import world
part = MetadataPart(0, Path(sys.argv[1]), print, address="127.0.0.1")
part.apply(world.two())
print(part.pid, part.port, flush=True)
sys.stdin.read()
"""


@contextmanager
def process(state: Path, script: str) -> Iterator[tuple["subprocess.Popen[bytes]", list[str]]]:
    """A Python process of its own, and the words that it says first."""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE
    ) as started:
        assert started.stdout is not None
        try:
            yield started, started.stdout.readline().decode().split()
        finally:
            started.kill()


def test_a_killed_agent_leaves_it_too(state: Path) -> None:
    with process(state, AGENT) as (agent, (pid, port)):
        agent.kill()
        agent.wait()
        assert ask(world.ADDRESS_A, int(port), HOSTNAME).status == 200
        with Running(state, port=int(port)) as running:
            running.part.apply(world.two())
            assert ended(int(pid))
            assert running.ask(world.ADDRESS_A, HOSTNAME).status == 200


def test_an_agent_that_is_killed_while_it_takes_over_leaves_the_old_one(state: Path) -> None:
    port, pid = left(state)
    found = predecessor.find(state)
    assert found
    found.leave()
    assert ask(world.ADDRESS_A, port, HOSTNAME).status == 200
    again = predecessor.find(state)
    assert again
    again.end()
    assert ended(pid)


def test_one_that_hangs_is_killed(state: Path) -> None:
    port, pid = left(state)
    os.kill(pid, signal.SIGSTOP)
    with Running(state, port=port) as running:
        running.part.apply(world.two())
        assert ended(pid)
        assert running.ask(world.ADDRESS_A, HOSTNAME).status == 200


IMPOSTOR = """
import socket, sys
from pathlib import Path
from cloudsync.agent.metadata import control
folder = Path(sys.argv[1])
door = control.bind(folder)
control.publish(folder)
door.listen()
print("there", flush=True)
link, _ = door.accept()
with socket.socket() as other:
    {act}
    link.recv(1)
"""


@pytest.mark.parametrize(
    "act",
    [
        r'link.sendall(b"rubbish\n")',
        r"""link.sendall(b'{"kept": 0}\n')""",
        r"""socket.send_fds(link, [b'{"kept": 0}\n'], [other.fileno()])""",
        r"""other.listen(); socket.send_fds(link, [b'{"kept": 1}\n'], [other.fileno()]); link.sendall(b"x\n")""",
        r"""other.listen(); socket.send_fds(link, [b'{"kept": "x"}\n'], [other.fileno()])""",
        r"""socket.send_fds(link, [b'{"kept": 0}\n'], [0])""",
    ],
)
def test_one_that_does_not_keep_to_the_rules_is_killed(state: Path, act: str) -> None:
    with process(state, IMPOSTOR.replace("{act}", act)) as (impostor, said):
        assert said == ["there"]
        assert predecessor.find(state) is None
        assert impostor.wait(PATIENCE) == -signal.SIGKILL


def test_another_port_is_served_before_the_old_one_is_given_up(state: Path) -> None:
    old, pid = left(state)
    with free_port() as new, Running(state, port=new) as running:
        running.part.apply(world.two())
        assert running.ask(world.ADDRESS_A, HOSTNAME).status == 200
        assert ended(pid)
        with pytest.raises(ConnectionRefusedError):
            ask(world.ADDRESS_A, old, HOSTNAME)


def test_who_was_let_in_by_the_old_one_is_answered_by_it(state: Path) -> None:
    """A connection on which nothing was begun may be closed at any time: here something always is."""
    port, pid = left(state, Limits(request_seconds=PATIENCE, idle_seconds=PATIENCE))
    begin, finish = b"GET /latest/meta-data/hostname HTTP/1.1\r\n", b"\r\n"
    with Running(state, port=port) as running, running.guest(world.ADDRESS_A) as guest:
        guest.send(begin + finish + begin)
        assert guest.answer().body == b"web-1.demo.internal"
        running.part.apply(world.two())
        guest.send(finish + begin)
        answer = guest.answer()
        deadline = monotonic() + PATIENCE
        # The old one may answer before it hears of its successor.
        while answer.headers.get("Connection") != "close" and monotonic() < deadline:
            assert answer.body == b"web-1.demo.internal"
            guest.send(finish + begin)
            answer = guest.answer()
        assert (answer.body, answer.headers["Connection"]) == (b"web-1.demo.internal", "close")
    assert ended(pid)


def test_nothing_is_left_when_all_is_ended(state: Path) -> None:
    port, pid = left(state)
    predecessor.end(state)
    assert ended(pid)
    with pytest.raises(ConnectionRefusedError):
        ask(world.ADDRESS_A, port, HOSTNAME)
    predecessor.end(state)
