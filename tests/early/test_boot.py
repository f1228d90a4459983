"""From the first moment of a host's life to the last rule flushed: a guest's packets pass as its rules say, or not."""

import signal
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.early.booting import DOCUMENT, GUEST, Host, booting
from tests.floating.world import floating
from tests.lab.eventually import eventually

pytestmark = pytest.mark.real


@pytest.fixture
def host() -> Iterator[Host]:
    with booting() as made:
        yield made


def tables(host: Host) -> str:
    return host.lab.host.run("nft", "list", "tables").stdout


def test_the_first_packet_of_a_guest_meets_the_stored_rules_without_any_agent(host: Host) -> None:
    host.store()
    done = host.guard()
    assert done.returncode == 0, done.stderr
    host.plug()
    host.only_what_may_passes()


def test_forwarding_is_switched_on_after_the_rules_are_in(host: Host) -> None:
    host.lab.host.sysctl("net/ipv4/ip_forward", 0)
    host.store()
    assert host.guard().returncode == 0
    assert host.lab.host.run("cat", "/proc/sys/net/ipv4/ip_forward").stdout == "1\n"


def test_nothing_passes_once_every_rule_was_flushed_until_they_are_back(host: Host) -> None:
    """As a restart of nftables does, whose start runs the guard again."""
    host.store()
    host.guard()
    host.plug()
    host.only_what_may_passes()
    for _ in range(2):
        host.lab.host.run("nft", "flush", "ruleset")
        host.nothing_passes()
        assert host.guard().returncode == 0
        host.only_what_may_passes()


def test_a_host_without_a_document_has_nothing_to_guard(host: Host) -> None:
    done = host.guard()
    assert done.returncode == 0, done.stderr
    assert tables(host) == ""


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty"])
def test_a_damaged_document_shuts_guests_off(host: Host, damage: str) -> None:
    host.store()
    path = host.state / "document.json"
    text = path.read_bytes()
    path.write_bytes({"flipped": text.replace(b"10.20.0.11", b"10.20.0.12"), "cut": text[:300], "empty": b""}[damage])
    done = host.guard()
    assert done.returncode == 0, done.stderr
    assert "damaged" in done.stderr
    host.plug()
    host.nothing_passes()
    assert host.passed() == ({}, {})


def test_a_document_of_another_version_shuts_guests_off_until_the_agent_has_a_better_one(host: Host) -> None:
    """It names a group that it does not hold: there are no rules for the guest."""
    host.store(replace(DOCUMENT, groups={}))
    done = host.guard()
    assert done.returncode == 0, done.stderr
    assert "which the document does not hold" in done.stderr
    host.plug()
    host.nothing_passes()
    host.start()
    host.nothing_passes()
    assert host.passed() == ({}, {})
    host.client.put_document(replace(DOCUMENT, generation=2), 1)
    host.only_what_may_passes()
    assert host.client.host().drift == ()
    assert "shut" not in host.lab.host.run("nft", "list", "ruleset").stdout


def wrapper(folder: Path, script: str) -> dict[str, str]:
    """A program called nft that comes first."""
    folder.mkdir()
    program = folder / "nft"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin"}


REFUSES_THE_LAYOUT = """\
case "$*" in
*-f*)
    cat > "$0.in"
    grep -q forward_from "$0.in" && { echo 'Error: no' >&2; exit 1; }
    exec /usr/sbin/nft -f "$0.in" ;;
esac
exec /usr/sbin/nft "$@\""""


def test_rules_that_nft_refuses_shut_guests_off(host: Host) -> None:
    host.store()
    done = host.guard(wrapper(host.lab.run / "bin", REFUSES_THE_LAYOUT))
    assert done.returncode == 0, done.stderr
    assert "nft refused the firewall" in done.stderr
    assert host.lab.host.run("nft", "list", "chain", "inet", "cloudsync", "shut_to").stdout
    host.plug()
    host.nothing_passes()
    assert host.passed() == ({}, {})
    assert host.guard().returncode == 0
    host.only_what_may_passes()
    assert "shut" not in host.lab.host.run("nft", "list", "ruleset").stdout


def test_without_any_nft_the_guard_fails_so_that_no_machine_starts_and_routing_keeps_guests_in(host: Host) -> None:
    host.store()
    done = host.guard(wrapper(host.lab.run / "bin", "exit 1"))
    assert done.returncode == 1
    assert "nft" in done.stderr
    host.plug()
    host.nothing_passes()
    assert host.passed() == ({}, {})


def test_an_agent_that_runs_is_told_to_bring_its_rules_back(host: Host) -> None:
    host.store()
    host.start()
    host.plug()
    host.only_what_may_passes()
    host.lab.host.run("nft", "flush", "ruleset")
    host.nothing_passes()
    assert host.guard().returncode == 0
    eventually(lambda: host.client.host().drift, ())
    host.only_what_may_passes()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_traffic_goes_on_without_the_agent_and_with_the_next_one(host: Host, number: signal.Signals) -> None:
    host.store()
    host.start()
    host.plug()
    for _ in range(2):
        host.only_what_may_passes()
        host.end(number)
        host.only_what_may_passes()
        host.start()
    host.only_what_may_passes()
    assert host.client.host().drift == ()


def test_uninstalling_leaves_nothing_of_ours_and_all_of_others(host: Host) -> None:
    inside = host.lab.host
    host.lab.nft("add table inet somebody\nadd chain inet somebody x")
    inside.ip("rule", "add", "pref", "40", "to", "192.0.2.0/24", "lookup", "main")
    inside.ip("route", "add", "unreachable", "192.0.2.0/24")
    before = kernel(host)
    host.store(replace(DOCUMENT, instances={"guest": floating(GUEST, "198.51.100.50")}))
    host.start()
    assert kernel(host) != before
    assert host.uninstall().returncode == 1, "an agent runs"
    host.end()
    for _ in range(2):
        done = host.uninstall()
        assert done.returncode == 0, done.stderr
        assert kernel(host) == before
    assert subprocess.check_output(["ip", "netns", "pids", inside.name], text=True) == ""


def kernel(host: Host) -> list[str]:
    """All that could be ours."""
    inside = host.lab.host
    shown = ("rule", "route show table all", "neigh show proxy", "-br link")
    return [tables(host), *(inside.ip(*words.split()) for words in shown)]
