"""One process, whatever happens to it or to the agent."""

import os
import select
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.agent.dnsmasq import process
from cloudsync.model.problem import HostError
from tests.firewall.documents import NETWORK, document, instance
from tests.lab.dhcp import served
from tests.lab.eventually import eventually
from tests.lab.standins import PATIENCE, Lab, Peer, standins

pytestmark = pytest.mark.real

DOCUMENT = document([instance("a", "10.20.0.11")])
HOST = "host.kvm-1"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with standins(DOCUMENT) as made:
        yield made


def pids(lab: Lab) -> list[int]:
    there = Path("/run/netns", lab.host.name)
    return [found.pid for found in process.running(lab.run / "dnsmasq", there)]


def test_one_in_another_network_is_another_hosts(lab: Lab) -> None:
    """A private machine, a container: the same folder's name, seen in the same /proc."""
    lab.apply(DOCUMENT, only="dnsmasq")
    assert pids(lab)
    assert process.running(lab.run / "dnsmasq") == ()


def end(pid: int) -> None:
    """Kill and wait until it is gone."""
    descriptor = os.pidfd_open(pid)
    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    select.select([descriptor], [], [], PATIENCE)
    os.close(descriptor)


def works(lab: Lab) -> bool:
    """Soon: one that has just been started does not hear the first question."""
    guest = lab.guests["a"]
    eventually(lambda: served(guest.namespace, guest.nic.mac), guest.address)
    return True


def test_it_runs_unprivileged(lab: Lab) -> None:
    lab.apply(DOCUMENT, only="dnsmasq")
    (pid,) = pids(lab)
    status = Path(f"/proc/{pid}/status").read_text()
    assert "Uid:\t0" not in status
    capabilities = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    # net_bind_service, net_admin and net_raw at most
    assert int(capabilities, 16) & ~(1 << 10 | 1 << 12 | 1 << 13) == 0


def test_a_process_that_dies_is_replaced(lab: Lab) -> None:
    lab.apply(DOCUMENT)
    for _ in range(2):
        (before,) = pids(lab)
        end(before)
        assert works(lab)
        assert pids(lab) != [before]
    assert lab.drift(DOCUMENT) == []


def test_one_that_cannot_be_started_again_is_drift_until_it_can(lab: Lab) -> None:
    lab.apply(DOCUMENT)
    (pid,) = pids(lab)
    with Peer(lab.host, "").listen(53, socket.SOCK_DGRAM):
        end(pid)
        assert lab.drift(DOCUMENT) == [(HOST, "dnsmasq is not running: instances get neither addresses nor names")]
    eventually(lambda: lab.drift(DOCUMENT), [])
    assert works(lab)


def test_one_that_a_change_ended_is_not_started_again(lab: Lab) -> None:
    lab.apply(DOCUMENT)
    lab.apply(document([]))
    assert pids(lab) == []
    lab.apply(DOCUMENT)
    lab.apply(replace(DOCUMENT, networks={"default": replace(NETWORK, domain="other.internal")}))
    assert len(pids(lab)) == 1


def test_an_agent_that_was_killed_leaves_one_and_the_next_takes_it_over(lab: Lab) -> None:
    lab.apply(DOCUMENT)
    before = pids(lab)
    lab.kill_agent()
    assert pids(lab) == before
    assert works(lab)
    assert lab.drift(DOCUMENT) == []
    lab.apply(DOCUMENT)
    assert pids(lab) == before
    lab.apply(replace(DOCUMENT, networks={"default": replace(NETWORK, domain="other.internal")}))
    assert len(pids(lab)) == 1
    assert pids(lab) != before
    assert works(lab)


def test_an_agent_that_stops_leaves_it_serving_and_the_next_takes_it_over(lab: Lab) -> None:
    lab.apply(DOCUMENT)
    before = pids(lab)
    lab.stop_agent()
    assert pids(lab) == before
    assert works(lab)
    lab.apply(DOCUMENT)
    assert pids(lab) == before
    end(*before)
    assert works(lab)


def test_a_host_without_instances_runs_none(lab: Lab) -> None:
    lab.apply(DOCUMENT)
    empty = document([])
    lab.apply(empty)
    assert pids(lab) == []
    assert lab.drift(empty) == []


def test_files_that_were_changed_are_named_and_put_right(lab: Lab) -> None:
    lab.apply(DOCUMENT)
    folder = lab.run / "dnsmasq"
    (folder / "guests").write_text("")
    (folder / "names").write_text("192.0.2.1 a\n")
    found = lab.drift(DOCUMENT)
    assert found[0] == ("instance.a", "its DHCP entry is missing")
    assert found[1][1].startswith("the names that dnsmasq serves were changed")
    lab.apply(DOCUMENT)
    assert lab.drift(DOCUMENT) == []
    (folder / "guests").write_text((folder / "guests").read_text() + "52:54:00:00:00:01,10.20.0.66,x\n")
    assert lab.drift(DOCUMENT)[0][1].startswith("foreign DHCP entries were added")


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_taken_dns_port_names_who_took_it(lab: Lab, kind: int) -> None:
    with Peer(lab.host, "").listen(53, kind), pytest.raises(HostError) as caught:
        lab.apply(DOCUMENT, only="dnsmasq")
    assert f"of 10.20.0.1 is taken by {Path('/proc/self/comm').read_text().strip()} (pid {os.getpid()})" in (
        caught.value.message
    )
    assert pids(lab) == []
    lab.apply(DOCUMENT, only="dnsmasq")


def test_a_taken_dhcp_port_names_who_took_it(lab: Lab) -> None:
    with lab.host.socket(socket.SOCK_DGRAM) as taken:
        taken.bind(("", 67))
        with pytest.raises(HostError, match=rf"port 67/udp is taken by .* \(pid {os.getpid()}\)"):
            lab.apply(DOCUMENT, only="dnsmasq")
    assert pids(lab) == []


def test_a_folder_that_dnsmasq_cannot_enter_is_said(lab: Lab) -> None:
    lab.run.chmod(0o750)
    with pytest.raises(HostError, match="cannot enter") as caught:
        lab.apply(DOCUMENT, only="dnsmasq")
    assert caught.value.hint == f"chmod o+x {lab.run}"
