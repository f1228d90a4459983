"""`doctor` as it is typed, shown and described."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.cli.mend import commands, mend
from cloudsync.model.checkup import Check, Verdict
from cloudsync.model.cloud import Cloud, Host
from cloudsync.model.problem import CloudsyncError
from cloudsync.render import doctor
from cloudsync.render.doctor import Findings
from cloudsync.render.mended import mended
from tests.cli.specs import ONE
from tests.cli.terminal import Terminal
from tests.house.promised import broken

SPEC = (
    ONE
    + """\
instances:
  web: {image: blank, flavor: small}
"""
)
PROBLEM = Check(
    name="other firewalls", verdict=Verdict.PROBLEM, message="Docker\x1b[2J stops it", fix=("true",), hint="keep it"
)
FINDINGS = Findings(
    "demo",
    (Check(name="spec", verdict=Verdict.OK, message="cloud.yaml"),),
    {
        "kvm-1": (
            Check(name="agent", verdict=Verdict.OK, message="it answers"),
            Check(name="clock", verdict=Verdict.WARNING, message="nothing keeps it right", hint="mend it"),
            PROBLEM,
        )
    },
)


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    terminal.write(SPEC)
    return terminal


def test_a_cloud_that_is_well(cloud: Terminal) -> None:
    shown = cloud.type("doctor")
    assert (shown.code, shown.out.splitlines()[-1]) == (0, "Nothing is wrong.")
    told = json.loads(cloud.type("doctor", "--format", "json").out)
    assert broken(told, "doctor") == []
    assert (told["cloud"], told["healthy"]) == ("demo", True)


def test_every_problem_of_the_spec_comes_first(cloud: Terminal) -> None:
    cloud.write(SPEC.replace("vcpus: 1", "vcpus: none").replace("image: blank", "image: blnk"))
    shown = cloud.type("doctor", "--format", "json")
    told = json.loads(shown.out)
    assert broken(told, "doctor") == []
    assert (shown.code, told["cloud"], told["healthy"]) == (1, None, False)
    assert all(check["host"] is None and check["verdict"] == "problem" for check in told["checks"])
    lines = [check["message"].partition("cloud.yaml:")[2].partition(":")[0] for check in told["checks"]]
    assert lines == ["6", "8"]


def test_a_host_that_cannot_be_asked_is_a_problem(cloud: Terminal) -> None:
    (cloud.folder / ".cloudsync/sim").mkdir(parents=True)
    (cloud.folder / ".cloudsync/sim/kvm-1.json").write_text("{")
    shown = cloud.type("doctor")
    assert shown.code == 1
    assert "✗ simulated" in shown.out


def test_wrong_words_are_wrong_usage(cloud: Terminal) -> None:
    assert cloud.type("doctor", "--format", "yaml").code == 64
    assert cloud.type("logs", "web", "--follow").code == 64
    assert cloud.type("logs", "web", "--format", "json").code == 64


def test_findings_as_text_are_in_order_with_the_fix_and_cannot_steer_a_terminal() -> None:
    assert doctor.text(FINDINGS, colour=False) == (
        "  ✓ spec  cloud.yaml\n"
        "\n"
        "host.kvm-1\n"
        "  ✓ agent            it answers\n"
        "  ! clock            nothing keeps it right\n"
        "      hint: mend it\n"
        "  ✗ other firewalls  Docker\\x1b[2J stops it\n"
        "      run as root on host.kvm-1:\n"
        "        true\n"
        "      note: keep it\n"
        "\n"
        "1 problem, 1 warning\n"
    )
    assert "\x1b[31m✗\x1b[0m" in doctor.text(FINDINGS, colour=True)


def test_findings_as_json_have_the_promised_form() -> None:
    told = doctor.document(FINDINGS)
    assert broken(told, "doctor") == []
    assert [check["host"] for check in told["checks"]] == [None, "kvm-1", "kvm-1", "kvm-1"]
    assert told["checks"][-1]["fix"] == ["true"]


def local(folder: Path) -> Cloud:
    hosts = {"kvm-1": Host(name="kvm-1", uri="qemu:///system")}
    return Cloud(name="demo", digest="", path=str(folder / "cloud.yaml"), hosts=hosts)


def test_only_what_ends_a_problem_is_run_and_each_line_once(tmp_path: Path) -> None:
    warning = Check(name="clock", verdict=Verdict.WARNING, message="", fix=("false",))
    assert commands((PROBLEM, warning, PROBLEM)) == ("true",)
    assert mend(local(tmp_path), {"kvm-1": (warning,)}, yes=True) is False


def test_nothing_is_run_without_being_told_to(tmp_path: Path) -> None:
    made = tmp_path / "made"
    check = Check(name="x", verdict=Verdict.PROBLEM, message="", fix=(f"touch {made}",))
    with pytest.raises(CloudsyncError, match="nobody is there to ask"):
        mend(local(tmp_path), {"kvm-1": (check,)}, yes=False)
    assert not made.exists()


@pytest.mark.real
def test_exactly_the_shown_commands_are_run_and_the_first_that_fails_ends_it(tmp_path: Path) -> None:
    assert os.geteuid() == 0
    first, second = tmp_path / "a b", tmp_path / "second"
    lines = (f"touch '{first}'", "false", f"touch {second}")
    check = Check(name="x", verdict=Verdict.PROBLEM, message="", fix=lines)
    with pytest.raises(CloudsyncError, match="false: it ended with code 1") as caught:
        mend(local(tmp_path), {"kvm-1": (check,)}, yes=True)
    assert caught.value.hint == "of 3 commands 1 ended well before it, and 1 after it were not run"
    assert first.exists()
    assert not second.exists()
    assert mend(
        local(tmp_path), {"kvm-1": (Check(name="x", verdict=Verdict.PROBLEM, message="", fix=("true",)),)}, True
    )


SOUND = Check(name="other firewalls", verdict=Verdict.OK, message="nobody stops it")
BEFORE = {"kvm-1": (PROBLEM,)}


@pytest.mark.parametrize(
    ("before", "after", "ran", "told"),
    [
        (
            BEFORE,
            {"kvm-1": (SOUND,)},
            ("true",),
            ["run on this machine: 1 command", "fixed: other firewalls of host.kvm-1"],
        ),
        (
            BEFORE,
            BEFORE,
            ("true",),
            [
                "run on this machine: 1 command",
                "not fixed: other firewalls of host.kvm-1: its commands were run, and it is still so",
            ],
        ),
        (
            BEFORE,
            {"kvm-1": (replace(PROBLEM, fix=("false",)),)},
            ("true",),
            [
                "run on this machine: 1 command",
                "not fixed: other firewalls of host.kvm-1: other commands are needed now: run this again",
            ],
        ),
        (
            BEFORE,
            {"kvm-1": (replace(PROBLEM, name="agent", fix=()),)},
            ("true",),
            [
                "run on this machine: 1 command",
                "not known to be fixed: other firewalls of host.kvm-1: it cannot be looked at now",
                "not fixed: agent of host.kvm-1: no command ends it: see above",
            ],
        ),
        (
            {**BEFORE, "kvm-2": (PROBLEM,)},
            {"kvm-1": (SOUND, replace(SOUND, name="clock", verdict=Verdict.WARNING)), "kvm-2": (PROBLEM,)},
            ("true",),
            [
                "run on this machine: 1 command",
                "fixed: other firewalls of host.kvm-1",
                "not fixed: other firewalls of host.kvm-2: its commands are to be run on that machine",
                "left to you: 1 warning",
            ],
        ),
        (
            BEFORE,
            BEFORE,
            (),
            ["nothing was run", "not fixed: other firewalls of host.kvm-1: its commands were not run"],
        ),
    ],
)
def test_what_became_of_each_problem_is_told(
    before: dict[str, tuple[Check, ...]], after: dict[str, tuple[Check, ...]], ran: tuple[str, ...], told: list[str]
) -> None:
    said = mended(Findings("demo", (), before), Findings("demo", (), after), ran, {"kvm-1"})
    assert said.splitlines() == told


def test_fix_says_at_its_end_what_it_did_and_what_not(cloud: Terminal) -> None:
    well = cloud.type("doctor", "--fix", "-y")
    assert (well.code, well.err) == (0, "nothing was run\n")
    (cloud.folder / ".cloudsync/sim").mkdir(parents=True)
    (cloud.folder / ".cloudsync/sim/kvm-1.json").write_text("{")
    shown = cloud.type("doctor", "--fix", "-y", "--format", "json")
    assert broken(json.loads(shown.out), "doctor") == []
    assert shown.err == "nothing was run\nnot fixed: simulated of host.kvm-1: no command ends it: see above\n"
    assert cloud.type("doctor").err == ""
