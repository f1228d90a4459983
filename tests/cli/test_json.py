"""Every JSON that a command prints has its schema under schemas/, and follows it to the letter."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.cli.test_session import SPEC
from tests.house.promised import broken

GROUPS = "security_groups:\n  web: {ingress: [{protocol: tcp, ports: 80, from: any}]}\n"


def printed(cloud: Terminal, kind: str, *words: str) -> Any:
    found = json.loads(cloud.type(*words, "--format", "json").out)
    assert broken(found, kind) == []
    return found


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    terminal.write(SPEC + GROUPS)
    return terminal


def test_a_plan(cloud: Terminal) -> None:
    assert printed(cloud, "plan", "plan")["changes"]
    cloud.type("apply", "-y")
    assert printed(cloud, "plan", "plan")["changes"] == []


def test_a_status(cloud: Terminal) -> None:
    assert printed(cloud, "status", "status")["deployed"] is None
    cloud.type("apply", "-y")
    status = printed(cloud, "status", "status")
    assert [row["name"] for row in status["instances"]] == ["web-1", "web-2"]
    assert status["instances"][0]["state"] == "running"
    assert status["deployed"]["by"]


def test_a_status_of_a_host_that_does_not_answer(cloud: Terminal) -> None:
    cloud.type("apply", "-y")
    cloud.write((SPEC + GROUPS).replace("hosts:\n", "hosts:\n  spare: {uri: 'sim:'}\n"))
    cloud.type("apply", "-y")
    Path(cloud.folder, ".cloudsync/sim/kvm-1.json").write_text("{")
    status = printed(cloud, "status", "status")
    assert {row["state"] for row in status["instances"]} == {"unknown"}
    assert [row["capacity"] is None for row in status["hosts"]] == [True, False]


@pytest.mark.parametrize(
    ("address", "section", "shown"),
    [
        ("web-1", "instances", "10.20.0."),
        ("instance.web-1", "instances", "running"),
        ("host.kvm-1", "hosts", "vcpus 8"),
        ("image.blank", "resources", "web-1, web-2"),
        ("network.default", "resources", "10.20.0.0/24"),
        ("keypair.alice", "resources", "ssh-ed25519"),
        ("group.web", "resources", "tcp/80 from any"),
    ],
)
def test_a_status_of_one_address(cloud: Terminal, address: str, section: str, shown: str) -> None:
    cloud.type("apply", "-y")
    status = printed(cloud, "status", "status", address)
    assert {name: len(rows) for name, rows in status.items() if isinstance(rows, list) and rows} == {section: 1}
    assert shown in cloud.type("status", address).out


def test_what_is_cached_or_used_nowhere_is_told_apart(cloud: Terminal) -> None:
    (before,) = printed(cloud, "status", "status", "image.blank")["resources"]
    assert (before["in_spec"], before["hosts"], before["instances"]) == (True, [], [])
    cloud.type("apply", "-y")
    (after,) = printed(cloud, "status", "status", "image.blank")["resources"]
    assert (after["hosts"], after["instances"]) == (["kvm-1"], ["web-1", "web-2"])
    cloud.write(SPEC)
    (gone,) = printed(cloud, "status", "status", "group.web")["resources"]
    assert (gone["in_spec"], gone["hosts"]) == (False, ["kvm-1"])
    for address in ("image.none", "nothing", "host.none"):
        assert f"there is no {address}" in cloud.type("status", address).err


def test_an_instance_that_is_only_wanted_is_told(cloud: Terminal) -> None:
    assert "instance.web-1 is in the spec, and not there yet" in cloud.type("status", "web-1").err


def test_problems(cloud: Terminal) -> None:
    assert printed(cloud, "problems", "validate")["problems"] == []
    cloud.write(SPEC.replace("image: blank", "image: blnk"))
    assert len(printed(cloud, "problems", "validate")["problems"]) == 1
    cloud.spec.unlink()
    assert len(printed(cloud, "problems", "validate")["problems"]) == 1


def test_key_pairs(cloud: Terminal) -> None:
    assert len(printed(cloud, "keypairs", "keypair", "list")["keypairs"]) == 1


SECOND = "hosts:\n  kvm-2: {uri: 'sim:?vcpus=8&memory=900MiB&disk=100GiB', reserved: {memory: 0MiB}}\n"


def test_the_loss_of_a_host(cloud: Terminal) -> None:
    """By the plan before the first apply, by what is there after it; the small one can take one of two."""
    cloud.write((SPEC + GROUPS).replace("hosts:\n", SECOND))
    found = printed(cloud, "loss", "plan", "--what-if-lost", "kvm-1")
    assert [one["host"] for one in found["homes"]] == ["kvm-2"]
    assert [one["refusals"]["kvm-1"] for one in found["homeless"]] == ["lost"]
    text = cloud.type("plan", "--what-if-lost", "host.kvm-1")
    assert (text.code, text.out.splitlines()[-1]) == (
        1,
        "If host.kvm-1 died, 1 of its 2 instances would have no home.",
    )
    cloud.type("apply", "-y")
    loss = printed(cloud, "status", "status")["loss"]
    assert loss == {"worst_host": "kvm-1", "homeless": ["web-2"]}
    assert "The worst host to lose is kvm-1: no home for web-2" in cloud.type("status").out
    assert cloud.type("plan", "--what-if-lost", "kvm-2").code == 0
    assert "there is no host kvm-9" in cloud.type("plan", "--what-if-lost", "kvm-9").err
    assert cloud.type("plan", "--what-if-lost", "kvm-1", "--detailed-exitcode").code == 64


def test_the_hosts(cloud: Terminal) -> None:
    cloud.type("apply", "-y")
    row = printed(cloud, "hosts", "host", "list")["hosts"][0]
    assert (row["instances"], row["used"]["vcpus"], row["limit"]["vcpus"], row["load"]["vcpus"]) == (2, 2, 32, 0.062)
    shown = cloud.type("host", "list").out.splitlines()
    assert shown[1].split() == (
        "kvm-1 ready 2 2 of 32 1 GiB of 15.5 GiB 8 GiB of 99.94 GiB 7%".split()  # noqa: SIM905
    )


def test_proposed_moves(cloud: Terminal) -> None:
    assert printed(cloud, "rebalance", "host", "rebalance")["moves"] == []
    cloud.write((SPEC + GROUPS).replace("count: 2", "count: 8").replace("512MiB, disk", "1GiB, disk"))
    cloud.type("apply", "-y")
    whole = (SPEC + GROUPS).replace("count: 2", "count: 8").replace("512MiB, disk", "1GiB, disk")
    cloud.write(whole.replace("hosts:\n", SECOND.replace("900MiB", "16GiB")))
    moves = printed(cloud, "rebalance", "host", "rebalance")["moves"]
    assert {(one["from"], one["to"]) for one in moves} == {("kvm-1", "kvm-2")}
    text = cloud.type("host", "rebalance").out
    assert "none is made" in text
    assert "are of a `count:`" in text
    loads = {line.split()[0]: line.split()[-1] for line in cloud.type("host", "list").out.splitlines()[1:]}
    assert moves[0]["why"].startswith(f"kvm-1 {loads['kvm-1']} → ")
    assert f"kvm-2 {loads['kvm-2']} → " in moves[0]["why"]
