"""The agent with its real parts (nftables, ip rules, dnsmasq, metadata process) in a network namespace of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from cloudsync.agent.parts import end_processes
from cloudsync.model.problem import HostError
from tests.agent.documents import NIC, document, empty
from tests.agent.real import RealLab, real_lab
from tests.lab.eventually import eventually

pytestmark = pytest.mark.real

HOLD_PORT = """
import socket, sys
with socket.create_server(("0.0.0.0", int(sys.argv[1]))) as server:
    print("listening", flush=True)
    sys.stdin.read()
"""
REMOVE = """
import sys
from pathlib import Path
from cloudsync.agent.parts import remove
remove(*map(Path, sys.argv[1:]))
"""


@pytest.fixture
def real() -> Iterator[RealLab]:
    with real_lab() as lab:
        yield lab


def test_a_document_is_in_force_and_back_after_death_and_flush(real: RealLab) -> None:
    wanted = document(1, uplink=None)
    real.client.put_document(wanted, 0)
    state = real.client.host()
    assert state.drift == ()
    assert NIC.tap in real.inside("nft", "list", "ruleset")
    assert "fwmark 0/0x40000000 prohibit" in real.inside("ip", "rule")
    assert real.inside("cat", "/proc/sys/net/ipv4/ip_forward") == "1\n"
    real.end(signal.SIGKILL)
    real.inside("nft", "flush", "ruleset")
    real.start()
    assert real.client.host().drift == ()
    assert NIC.tap in real.inside("nft", "list", "ruleset")


def test_after_a_clean_end_guests_are_served_on_and_the_next_agent_takes_it_over(real: RealLab) -> None:
    real.client.put_document(document(1, uplink=None), 0)
    before = real.resolvers()
    assert len(before) == 1
    assert real.end() == 0
    assert real.resolvers() == before
    assert real.metadata_answers()
    assert NIC.tap in real.inside("nft", "list", "ruleset")
    assert "Traceback" not in real.log
    real.start()
    assert real.client.host().drift == ()
    assert real.resolvers() == before


def test_what_was_changed_behind_its_back_is_drift_and_repaired_by_the_next_document(real: RealLab) -> None:
    real.client.put_document(document(1, uplink=None), 0)
    real.inside("nft", "flush", "table", "inet", "cloudsync")
    assert any("is missing" in drift.message for drift in real.client.host().drift)
    real.client.put_document(document(2, uplink=None), 1)
    assert real.client.host().drift == ()


def test_a_host_that_repairs_itself_needs_no_apply(real: RealLab) -> None:
    real.client.put_document(replace(document(1, uplink=None), repair=True), 0)
    for command in (
        ("nft", "flush", "ruleset"),
        ("nft", "insert rule inet cloudsync forward_to accept"),
        ("ip", "rule", "flush"),
    ):
        said = real.log.count("restoring it")
        real.inside(*command)
        eventually(lambda: real.client.host().drift, ())
        assert real.log.count("restoring it") > said
    real.client.put_document(document(2, uplink=None), 1)
    real.inside("nft", "flush", "ruleset")
    real.client.put_document(document(3, uplink=None), 2)
    assert real.client.host().drift == ()


@contextmanager
def held(real: RealLab, port: int) -> Iterator[None]:
    """Some other program has this port."""
    holder = subprocess.Popen(
        real.command(sys.executable, "-c", HOLD_PORT, str(port)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "listening\n"
        yield
        holder.communicate("")


def test_when_the_last_part_fails_the_kernel_is_as_before(real: RealLab) -> None:
    with held(real, 8775):
        with pytest.raises(HostError, match="8775"):
            real.client.put_document(document(1, uplink=None), 0)
        assert NIC.tap not in real.inside("nft", "list", "ruleset")
        assert real.client.host().document is None
    real.client.put_document(document(1, uplink=None), 0)
    assert real.client.host().drift == ()


def test_a_busy_port_at_start_costs_only_what_needs_it_and_only_as_long_as_it_is_busy(real: RealLab) -> None:
    real.client.put_document(document(1, uplink=None), 0)
    real.end()
    end_processes(real.run, real.state)
    for pid in real.resolvers():
        os.kill(pid, signal.SIGKILL)
    with held(real, 53):
        real.start()
        assert "port 53/tcp of 10.20.0.1 is taken" in real.client.host().drift[0].message
        assert real.metadata_answers()
    eventually(lambda: real.client.host().drift, ())
    assert len(real.resolvers()) == 1


def test_a_released_host_has_no_guests_left_in_its_rules(real: RealLab) -> None:
    real.client.put_document(document(1, uplink=None), 0)
    real.client.put_document(empty(2), 1)
    assert real.client.host().drift == ()
    assert NIC.tap not in real.inside("nft", "list", "ruleset")


def test_the_rules_are_removed_only_when_no_agent_runs(real: RealLab) -> None:
    real.client.put_document(document(1, uplink=None), 0)
    refused = subprocess.run(
        real.command(sys.executable, "-c", REMOVE, real.socket, real.run, real.state),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "still runs" in refused.stderr
    assert NIC.tap in real.inside("nft", "list", "ruleset")
    real.end()
    assert real.children()
    real.inside(sys.executable, "-c", REMOVE, real.socket, real.run, real.state)
    assert real.children() == []
    assert not real.metadata_answers()
    assert "cloudsync" not in real.inside("nft", "list", "ruleset")
    assert "prohibit" not in real.inside("ip", "rule")
