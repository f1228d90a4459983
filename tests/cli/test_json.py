"""Every JSON that a command prints has its schema under schemas/, and follows it to the letter."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.cli.terminal import Terminal
from tests.cli.test_session import SPEC
from tests.house import tree

GROUPS = "security_groups:\n  web: {ingress: [{protocol: tcp, ports: 80, from: any}]}\n"


def schema(name: str) -> Draft202012Validator:
    found = json.loads(tree.text(tree.TOP / "schemas" / f"{name}.schema.json"))
    Draft202012Validator.check_schema(found)
    assert found["additionalProperties"] is False
    return Draft202012Validator(found)


def printed(cloud: Terminal, kind: str, *words: str) -> Any:
    found = json.loads(cloud.type(*words, "--format", "json").out)
    assert [error.message for error in schema(kind).iter_errors(found)] == []
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
    for address in ("image.none", "nothing", "kind.none", "host.none", "group."):
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
