"""Looking often costs little: programs run only when the kernel says that somebody changed something."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.namespace import Namespace

pytestmark = pytest.mark.real

COUNTING = """#!/bin/sh
echo "{name} $*" >> {log}
exec {real} "$@"
"""
LOOKS = """
import subprocess, sys
from cloudsync.agent.neighbours.lookout import Lookout

now = [0.0]
lookout = Lookout(clock=lambda: now[0])
for line in sys.stdin:
    verb, _, rest = line.strip().partition(" ")
    if verb == "look":
        print(" ".join(one.owner for one in lookout.look(None, None).obstacles) or "none", flush=True)
    elif verb == "wait":
        now[0] += float(rest)
    else:
        subprocess.run(rest, shell=True, check=True)
"""


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    made = Namespace.new("lookout")
    yield made
    made.remove()


def looked(namespace: Namespace, folder: Path, *steps: str) -> tuple[list[str], list[str]]:
    """What each `look` saw, and the programs that ran for it; `do COMMAND` changes something meanwhile."""
    log = folder / "log"
    log.touch()
    for name in ("nft", "iptables-nft-save", "iptables-legacy-save"):
        real = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
        (folder / name).write_text(COUNTING.format(name=name, log=log, real=real))
        (folder / name).chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}:/usr/sbin:/sbin"
    done = namespace.run("env", f"PATH={path}", sys.executable, "-c", LOOKS, stdin="\n".join(steps))
    return done.stdout.split("\n")[:-1], log.read_text().splitlines()


CHAINS, RULESET = "nft -j -t list chains", "nft -j -t list ruleset"
DROP = "do /usr/sbin/nft 'table inet t { chain c { type filter hook forward priority 0; policy drop; }; }'"


def test_nothing_runs_again_while_nobody_commits(namespace: Namespace, tmp_path: Path) -> None:
    assert looked(namespace, tmp_path, "look", "look", "look") == (["none"] * 3, [CHAINS])


def test_a_commit_is_noticed_and_costs_one_more_call_where_others_have_chains(
    namespace: Namespace, tmp_path: Path
) -> None:
    seen, ran = looked(
        namespace, tmp_path, "look", DROP, "look", "look", "do /usr/sbin/nft delete table inet t", "look"
    )
    assert seen == ["none", "nftables", "nftables", "none"]
    assert ran == [CHAINS, CHAINS, RULESET, CHAINS]


def test_iptables_is_asked_only_about_what_nft_cannot_show(namespace: Namespace, tmp_path: Path) -> None:
    plain = "do /usr/sbin/iptables-nft -A FORWARD -i docker0 -j ACCEPT"
    hidden = "do /usr/sbin/iptables-nft -A FORWARD -m conntrack --ctstate NEW -j DROP"
    seen, ran = looked(namespace, tmp_path, plain, "look", hidden, "look", "look")
    assert seen == ["none", "iptables", "iptables"]
    assert ran == [CHAINS, RULESET, CHAINS, RULESET, "iptables-nft-save "]


def test_iptables_legacy_is_never_asked_unless_it_is_loaded_and_then_now_and_then(
    namespace: Namespace, tmp_path: Path
) -> None:
    """nftables' generation does not move with its rules; asking it about a table would load that table."""
    drop = "do /usr/sbin/iptables-legacy -P FORWARD DROP"
    accept = "do /usr/sbin/iptables-legacy -P FORWARD ACCEPT"
    seen, ran = looked(namespace, tmp_path, "look", drop, "look", accept, "look", "wait 6", "look")
    assert seen == ["none", "iptables", "iptables", "none"]
    assert ran == [CHAINS, "iptables-legacy-save ", "iptables-legacy-save "]
