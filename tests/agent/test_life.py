"""The real agent process on its socket, driven by the real client: the lock, its life and death."""

import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from cloudsync.hosts.agent_client import AgentClient
from cloudsync.hosts.program import as_root
from cloudsync.model.problem import HostError, LockedError
from tests.agent.documents import document
from tests.agent.lab import Lab
from tests.effort import PATIENCE

HOLD_LOCK = """
import sys, pathlib
from cloudsync.hosts.agent_client import AgentClient
with AgentClient(pathlib.Path(sys.argv[1])).lock("bob@desk"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_lock_is_held_by_one_and_given_back(agent: Lab) -> None:
    other = AgentClient(agent.socket, "kvm-1")
    for _ in range(20):
        with agent.client.lock("alice@laptop"):
            holder = other.holder()
            assert holder is not None
            assert holder.holder == "alice@laptop"
            with pytest.raises(LockedError, match=f"alice@laptop has been applying here since {holder.since}"):
                other.lock("bob@desk").__enter__()
    assert other.holder() is None


def test_an_error_under_the_lock_comes_out_as_it_is_and_the_lock_is_free(agent: Lab) -> None:
    with pytest.raises(FileNotFoundError), agent.client.lock("alice@laptop"):
        raise FileNotFoundError("mine")
    assert agent.client.holder() is None


def test_the_lock_dies_with_its_owner(agent: Lab) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(agent.socket)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdin is not None
    assert owner.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match="bob@desk"):
        agent.client.lock("alice@laptop").__enter__()
    owner.kill()
    owner.wait(PATIENCE)
    # The kernel has closed the owner's socket; the agent hears of it before it hears of this new connection.
    with agent.client.lock("alice@laptop"):
        pass
    owner.stdin.close()
    owner.stdout.close()


def test_a_stop_ends_a_held_lock_at_once_and_cleanly(agent: Lab) -> None:
    with agent.client.lock("alice@laptop"):
        assert agent.end() == 0
    assert not agent.socket.exists()
    agent.start()
    assert agent.client.holder() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_lock_that_goes_with_the_agent_is_known_to_be_lost(agent: Lab, number: signal.Signals) -> None:
    lost = Event()
    with agent.client.lock("alice@laptop", lost.set):
        agent.end(number)
        assert lost.wait(PATIENCE)


def test_a_lock_that_was_given_back_is_not_lost(agent: Lab) -> None:
    lost = Event()
    with agent.client.lock("alice@laptop", lost.set):
        assert agent.client.holder() is not None
    assert agent.end() == 0
    assert not lost.is_set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_both_signals_end_it_cleanly_and_the_parts_are_closed(agent: Lab, number: signal.Signals) -> None:
    agent.client.put_document(document(1), 0)
    assert agent.end(number) == 0
    assert agent.first.calls() == [("apply", 1, ["web"]), ("close", None, [])]
    assert "Traceback" not in agent.log


def test_the_socket_of_a_dead_agent_is_replaced(lab: Lab) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(lab.socket))
    dead.close()
    lab.start()
    assert lab.client.host().document is None


def test_a_second_agent_says_that_there_is_one(agent: Lab) -> None:
    assert agent.process is not None
    second = agent.launch()
    assert second.wait(PATIENCE) == 1
    assert f"another agent (process {agent.process.pid}) works on" in agent.log
    (agent.root / "b").mkdir()
    assert agent.client.host().document is None


def test_a_living_agents_socket_is_left_to_it(agent: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert agent.process is not None
    other = Lab(tmp_path_factory.mktemp("other"))
    other.socket.symlink_to(agent.socket)
    assert other.launch().wait(PATIENCE) == 1
    assert f"another agent (process {agent.process.pid}) serves" in other.log
    assert agent.client.host().document is None


def test_a_damaged_document_is_told_and_written_anew(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)
    agent.end()
    path = agent.root / "state" / "document.json"
    path.write_bytes(path.read_bytes()[:-40])
    agent.start()
    state = agent.client.host()
    assert state.document is None
    assert "damaged" in state.drift[0].message
    agent.client.put_document(document(1), 0)
    assert agent.client.host().drift == ()


@pytest.mark.slow
def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="the agent on kvm-9 does not answer at") as caught:
        AgentClient(tmp_path / "no.sock", "kvm-9").host()
    assert as_root("agent") in caught.value.hint


def test_a_hint_names_a_program_that_root_finds() -> None:
    word, program, rest = as_root("agent").split()
    assert (word, rest) == ("sudo", "agent")
    assert shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin")


def test_who_asks_while_the_agent_starts_waits_for_it(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)
    agent.end()
    agent.hold("first")
    agent.process = agent.launch()
    agent.entered("first")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(agent.client.host)
        with pytest.raises(TimeoutError):
            asked.result(1.5)
        agent.let_go("first")
        found = asked.result(PATIENCE).document
    assert found
    assert found.generation == 1
    assert not agent.socket.with_name(f"{agent.socket.name}.starting").exists()


@pytest.mark.slow
def test_what_an_agent_that_was_killed_as_it_started_left_is_not_waited_for(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / "no.sock.starting").write_text(str(gone.pid))
    with pytest.raises(HostError, match="does not answer at"):
        AgentClient(tmp_path / "no.sock").host()


@pytest.mark.slow
def test_a_dead_socket(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "dead.sock"))
    dead.close()
    with pytest.raises(HostError, match="does not answer"):
        AgentClient(tmp_path / "dead.sock").host()


def test_an_agent_that_says_nothing_and_one_that_is_none(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute.sock"))
        mute.listen()
        client = AgentClient(tmp_path / "mute.sock", "kvm-9")
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(client.host)
            peer, _ = mute.accept()
            peer.recv(10_000)
            peer.sendall(b"HTTP/1.1 500 X\r\ncontent-length: 5\r\n\r\nhello")
            with pytest.raises(HostError, match="is not a cloudsync agent"):
                answer.result(PATIENCE)
            peer.close()
            answer = pool.submit(client.host)
            peer, _ = mute.accept()
            peer.recv(10_000)
            peer.close()
            with pytest.raises(HostError, match="broke the connection off"):
                answer.result(PATIENCE)


@pytest.mark.real
def test_who_may_not_use_the_socket_is_told_how(agent: Lab) -> None:
    script = """
import os, sys, pathlib
from cloudsync.hosts.agent_client import AgentClient
from cloudsync.model.problem import HostError
client = AgentClient(pathlib.Path("a.sock"), "kvm-1")
os.chdir(sys.argv[1])
client.host()
os.setuid(65534)
try:
    client.host()
except HostError as error:
    print(error.message, error.hint)
"""
    words = [sys.executable, "-c", script, str(agent.root)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "may not be used by you" in done.stdout
    assert "usermod -aG cloudsync" in done.stdout
