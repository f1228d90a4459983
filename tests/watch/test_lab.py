"""A watch of two hosts of the lab, one of which loses its power and gets it back. In a private machine."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from cloudsync.watch.ear import HostEar
from cloudsync.watch.happening import Ending, RoundEnded
from cloudsync.watch.trigger import Reason
from tests.lab.lab import Hosts, lab
from tests.watch.watched import Watched, save, watched

pytestmark = pytest.mark.real
GATE = "\nsecurity_groups:\n  gate: {{ingress: [{{protocol: tcp, ports: {port}, from: any}}]}}\n"


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    with lab(hosts=2) as it:
        yield it


def is_open(it: Hosts, name: str, port: int) -> bool:
    return str(port) in it.run(name, "nft", "list", "table", "inet", "cloudsync").stdout


def test_a_host_that_goes_is_done_without_and_taken_up_again(hosts: Hosts) -> None:
    text = hosts.spec(count=2).replace("image: blank,", "image: blank, security_groups: [default, gate],")
    spec = hosts.write_spec(text + GATE.format(port=41230))
    try:
        with watched(spec, every=5.0) as it:
            while it.next().ending is not Ending.QUIET:
                continue
            assert is_open(hosts, "h1", 41230)
            assert is_open(hosts, "h2", 41230)
            hosts.stop("h2")
            save(spec, text + GATE.format(port=41231))
            found = it.next()
            while found.ending is not Ending.APPLIED:
                found = it.next()
            assert is_open(hosts, "h1", 41231)
            assert found.silent == ("h2",)
            save(spec, text + GATE.format(port=41232))
            while (found := it.next()).ending is not Ending.APPLIED:
                continue
            assert found.silent == ("h2",)
            assert found.seconds < 4.0, "a host that is known to be down is not waited for"
            hosts.start("h2")
            while found.silent or found.ending is not Ending.QUIET:
                found = it.next()
            assert is_open(hosts, "h2", 41232)
    finally:
        command = [sys.executable, "-m", "cloudsync", "-f", str(spec), "destroy", "-y", "--allow-destroy"]
        subprocess.run(command, check=True, capture_output=True)


def heard(it: Watched, words: str) -> RoundEnded:
    """The end of the round that somebody's telling so began."""
    while True:
        found = it.next()
        if any(one.reason is Reason.EVENT and words in one.detail for one in found.triggers):
            return found


def test_what_happens_on_another_host_is_heard_over_ssh_and_again_after_it_was_without_power(hosts: Hosts) -> None:
    spec, ear = hosts.write_spec(hosts.spec(count=2)), HostEar()
    try:
        with watched(spec, every=86_400.0, more=[ear], ears=[ear]) as it:
            while it.next().ending is not Ending.QUIET:
                continue
            guest = hosts.run("h2", "virsh", "-q", "list", "--name").stdout.split()[0]
            hosts.run("h2", "virsh", "destroy", guest)
            assert heard(it, f"{guest} stopped on h2").ending is Ending.APPLIED
            assert hosts.run("h2", "virsh", "domstate", guest).stdout.strip() == "running"
            hosts.run("h1", "nft", "delete", "table", "inet", "cloudsync")
            heard(it, "h1: ")
            assert "table inet cloudsync" in hosts.run("h1", "nft", "list", "tables").stdout
            hosts.stop("h2")
            hosts.start("h2")
            heard(it, "h2 is heard again")
            while hosts.run("h2", "virsh", "-q", "list", "--name").stdout.split() != [guest]:
                it.next()
            hosts.run("h2", "virsh", "destroy", guest)
            assert heard(it, f"{guest} stopped on h2")
    finally:
        command = [sys.executable, "-m", "cloudsync", "-f", str(spec), "destroy", "-y", "--allow-destroy"]
        subprocess.run(command, check=True, capture_output=True)
