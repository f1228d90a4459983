"""What a person types, against a simulated host: the commands hang together and end with the codes they promise."""

import json
import tomllib
from pathlib import Path

import pytest

from cloudsync.hosts.sim import SimHost
from tests.cli.specs import KEY
from tests.cli.terminal import Terminal

SECRET = "swordfish-5c1e"  # noqa: S105
SPEC = f"""\
version: 1
cloud: demo
hosts:
  kvm-1: {{uri: 'sim:?vcpus=8&memory=16GiB&disk=100GiB'}}
images:
  blank: {{source: 'https://example.org/blank.qcow2', sha256: {"ab" * 32}}}
networks:
  default: {{subnet: 10.20.0.0/24}}
flavors:
  small: {{vcpus: 1, memory: 512MiB, disk: 4GiB}}
keypairs:
  # the one who is on call
  alice: {KEY}
instances:
  web:
    count: 2
    image: blank
    flavor: small
    keypairs: [alice]
    user_data: |
      #cloud-config
      password: {SECRET}
"""


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    terminal.write(SPEC)
    return terminal


def test_a_settled_cloud_plans_nothing(cloud: Terminal) -> None:
    assert cloud.type("plan", "--detailed-exitcode").code == 2
    applied = cloud.type("apply", "-y", "--wait")
    assert applied.code == 0, applied.err
    again = cloud.type("plan", "--detailed-exitcode")
    assert again.code == 0, again.out
    assert cloud.type("apply", "-y").code == 0


def test_floating_addresses_are_planned_and_shown(cloud: Terminal) -> None:
    first, second = "203.0.113.10", "203.0.113.11"
    cloud.write(SPEC + f"    floating_ip: [{first}, {second}]\n")
    assert cloud.type("apply", "-y").code == 0
    rows = json.loads(cloud.type("status", "--format", "json").out)["instances"]
    assert [row["addresses"][1:] for row in rows] == [[first], [second]]
    assert f" {second}" in cloud.type("status").out
    cloud.write(SPEC + f"    floating_ip: [{second}, {first}]\n")
    assert f"floating_ip {first} → {second}" in cloud.type("plan").out
    assert cloud.type("apply", "-y", "--max-disruption", "live").code == 0
    rows = json.loads(cloud.type("status", "--format", "json").out)["instances"]
    assert [row["addresses"][1:] for row in rows] == [[second], [first]]


def test_an_instance_is_made_anew_when_it_is_asked_for(cloud: Terminal) -> None:
    def uuids() -> dict[str, str]:
        rows = json.loads(cloud.type("status", "--format", "json").out)["instances"]
        return {row["name"]: row["uuid"] for row in rows}

    assert cloud.type("apply", "-y").code == 0
    before = uuids()
    refused = cloud.type("apply", "-y", "--replace", "instance.web-1")
    assert (refused.code, "--allow-destroy" in refused.err) == (1, True)
    saved = str(cloud.folder / "plan.json")
    assert "-/+ instance.web-1" in cloud.type("plan", "--replace", "instance.web-1", "--out", saved).out
    assert "give --replace and --evacuate to `plan --out`" in cloud.type("apply", saved, "-y", "--replace", "web-2").err
    assert cloud.type("apply", saved, "-y", "--allow-destroy").code == 0
    after = uuids()
    assert (after["web-1"] == before["web-1"], after["web-2"] == before["web-2"]) == (False, True)
    assert cloud.type("plan", "--detailed-exitcode").code == 0
    assert "name one of web-1, web-2" in cloud.type("plan", "--replace", "web").err
    assert "did you mean" in cloud.type("plan", "--replace", "wbe-1").err


def test_only_what_is_aimed_at_is_planned_saved_and_applied(cloud: Terminal) -> None:
    saved = str(cloud.folder / "plan.json")
    assert "held: untargeted" in cloud.type("plan", "--target", "web-1", "--out", saved).out
    assert cloud.type("apply", saved, "-y").code == 0
    rows = json.loads(cloud.type("status", "--format", "json").out)["instances"]
    assert [row["name"] for row in rows] == ["web-1"]
    assert cloud.type("plan", "--target", "web-1", "--detailed-exitcode").code == 0
    shown = json.loads(cloud.type("plan", "--target", "instance.web-1", "--format", "json").out)
    assert {one["why"] for one in shown["held"]} == {"untargeted"}
    assert "did you mean" in cloud.type("plan", "--target", "wbe-1").err
    assert cloud.type("plan", "--target", "web-1", "--evacuate", "kvm-1").code == 64


def test_ssh_to_one_that_is_stopped_says_so(cloud: Terminal) -> None:
    cloud.write(SPEC + "    state: stopped\n")
    assert cloud.type("apply", "-y").code == 0
    typed = cloud.type("ssh", "web-1")
    assert (typed.code, "web-1 is stopped, as the spec has it" in typed.err) == (1, True)
    cloud.write(SPEC)
    assert cloud.type("apply", "-y").code == 0
    assert "has not reported its host keys yet" in cloud.type("ssh", "web-1").err


def test_who_cannot_be_asked_is_told_all_that_is_needed_at_once(cloud: Terminal) -> None:
    assert cloud.type("apply").err.endswith("hint: add -y\n")
    assert cloud.type("apply", "-y").code == 0
    cloud.write(SPEC.replace("count: 2", "count: 1"))
    assert cloud.type("apply").err.endswith("hint: add -y --allow-destroy: this plan destroys data\n")
    assert cloud.type("apply", "-y", "--allow-destroy").code == 0


def test_ipv6_has_a_hint_that_is_about_the_question(cloud: Terminal) -> None:
    for words in (("::1", "web"), ("web", "2001:db8::/32")):
        typed = cloud.type("reach", *words)
        assert typed.code == 1
        assert "hint: ask with an IPv4 address" in typed.err


def test_user_data_is_never_shown_or_saved(cloud: Terminal) -> None:
    saved = cloud.folder / "plan.json"
    shown = [cloud.type("plan", "--out", str(saved)), cloud.type("plan", "--format", "json")]
    shown += [cloud.type("apply", "-y"), cloud.type("status"), cloud.type("status", "--save", str(saved) + ".live")]
    shown += [cloud.type("status", "--format", "json"), cloud.type("logs", "web-1")]
    for typed in shown:
        assert SECRET not in typed.out + typed.err
    assert SECRET not in saved.read_text()
    assert SECRET not in Path(str(saved) + ".live").read_text()


def test_a_saved_plan_is_applied_exactly_or_refused(cloud: Terminal) -> None:
    saved = str(cloud.folder / "plan.json")
    cloud.type("plan", "--out", saved)
    cloud.write(SPEC.replace("count: 2", "count: 3"))
    assert cloud.type("apply", "-y", saved).code == 3
    cloud.write(SPEC)
    assert cloud.type("apply", "-y", saved).code == 0
    assert cloud.type("apply", "-y", saved).code == 3
    assert cloud.type("plan", "--detailed-exitcode").code == 0


def test_a_snapshot_stands_in_for_the_hosts(cloud: Terminal) -> None:
    live = str(cloud.folder / "live.json")
    assert cloud.type("status", "--save", live).code == 0
    before = cloud.type("plan").out
    cloud.type("apply", "-y")
    assert cloud.type("plan", "--snapshot", live).out == before


def test_destroying_needs_its_own_word(cloud: Terminal) -> None:
    cloud.type("apply", "-y")
    refused = cloud.type("destroy", "-y")
    assert refused.code == 1
    assert "--allow-destroy" in refused.err
    assert cloud.type("plan", "--detailed-exitcode").code == 0
    assert cloud.type("destroy", "-y", "--allow-destroy").code == 0
    assert json.loads(cloud.type("status", "--format", "json").out)["instances"] == []


def test_disruption_has_a_ceiling(cloud: Terminal) -> None:
    cloud.type("apply", "-y")
    cloud.write(SPEC.replace("memory: 512MiB", "memory: 256MiB"))
    refused = cloud.type("apply", "-y", "--max-disruption", "live")
    assert refused.code == 1
    assert "instance.web-1" in refused.err
    assert cloud.type("apply", "-y", "--max-disruption", "restart").code == 0


def test_without_a_terminal_nothing_is_applied_unasked(cloud: Terminal) -> None:
    assert cloud.type("apply").code == 1
    assert cloud.type("plan", "--detailed-exitcode").code == 2


def test_what_has_no_place_is_refused_whole(cloud: Terminal) -> None:
    cloud.write(SPEC.replace("count: 2", "count: 40"))
    planned = cloud.type("plan")
    assert planned.code == 1
    assert "kvm-1" in planned.out
    assert cloud.type("apply", "-y").code == 1
    assert json.loads(cloud.type("status", "--format", "json").out)["instances"] == []


def test_a_held_lock_names_its_holder(cloud: Terminal) -> None:
    host = SimHost("kvm-1", "sim:?vcpus=8&memory=16GiB&disk=100GiB", cloud.folder)
    with host.lock("bob@desk"):
        blocked = cloud.type("apply", "-y")
    assert blocked.code == 4
    assert "bob@desk" in blocked.err


@pytest.mark.parametrize(("user", "comment"), [("al", ""), ("123", "work: lap # top"), ("true", '"%YAML" \'')])
def test_the_starter_validates_whoever_starts(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: str, comment: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USER", user)
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519.pub").write_text(f"{KEY.rpartition(' ')[0]} {comment}\n")
    assert terminal.type("init").code == 0
    checked = terminal.type("validate")
    assert checked.code == 0, checked.out
    assert "schemas/" not in terminal.spec.read_text()
    assert "cloud: demo " not in terminal.spec.read_text()
    listed = json.loads(terminal.type("keypair", "list", "--format", "json").out)["keypairs"]
    assert [row["name"] for row in listed] == [user]
    assert terminal.type("init").code == 1


@pytest.mark.parametrize(("folder", "name"), [("My Cloud", "my-cloud"), ("2026", "cloud-2026"), ("__", "cloud")])
def test_a_starter_is_called_after_its_folder(terminal: Terminal, tmp_path: Path, folder: str, name: str) -> None:
    (tmp_path / folder).mkdir()
    spec = str(tmp_path / folder / "cloud.yaml")
    assert terminal.type("-f", spec, "init").code == 0
    assert f"\ncloud: {name} " in Path(spec).read_text()
    assert terminal.type("-f", spec, "validate").code == 0


def test_what_a_simulated_host_keeps_stays_out_of_git(cloud: Terminal) -> None:
    assert cloud.type("apply", "-y").code == 0
    assert (cloud.folder / ".cloudsync" / ".gitignore").read_text() == "*\n"


def test_the_version_is_the_packages(cloud: Terminal) -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    assert cloud.type("--version").out == f"cloudsync {project['version']}\n"


def test_a_broken_spec_shows_every_problem(cloud: Terminal) -> None:
    cloud.write(SPEC.replace("image: blank", "image: blnk").replace("[alice]", "[alise]"))
    for command in ("validate", "plan", "apply", "status"):
        typed = cloud.type(command)
        assert typed.code == 1
        assert "blnk" in typed.out + typed.err
        assert "alise" in typed.out + typed.err
    found = json.loads(cloud.type("validate", "--format", "json").out)
    assert len(found["problems"]) == 2


@pytest.mark.parametrize("words", [("apply", "no-such-plan"), ("plan", "--snapshot", "cloud.yaml"), ("ssh", "nobody")])
def test_bad_files_and_names_are_told(cloud: Terminal, words: tuple[str, ...]) -> None:
    typed = cloud.type(*words)
    assert typed.code == 1
    assert "hint:" in typed.err
