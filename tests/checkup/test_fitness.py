"""Whether a machine can be a host: every thing that can be wrong is named, with its fix, and the fixes really run."""

import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import cloudsync
from cloudsync.agent.checkup.fitness import NEEDED, UNITS, Machine, fitness
from cloudsync.agent.checkup.machine import stale
from cloudsync.cli.mend import commands
from cloudsync.model.checkup import Verdict

WELL = Machine(
    programs={name: ".".join(map(str, (*oldest, 9))) for name, (_, oldest) in NEEDED.items()},
    units={"cloudsync-guard": "enabled", "cloudsync-agent": "enabled", "libvirtd": "enabled"},
    program="/opt/cloudsync/bin/cloudsync",
    sources="/opt/cloudsync/lib/cloudsync/packaging",
)
OFF = {"cloudsync-guard": "", "cloudsync-agent": "disabled", "libvirtd": "enabled"}


def problems(found: Machine) -> dict[str, tuple[str, ...]]:
    return {one.name: one.fix for one in fitness(found) if one.verdict is Verdict.PROBLEM}


def test_a_host_that_is_fit_has_no_problem() -> None:
    assert {one.verdict for one in fitness(WELL)} == {Verdict.OK}


@pytest.mark.parametrize(
    ("found", "name", "said"),
    [
        (replace(WELL, programs={**WELL.programs, "nft": "1.0.2"}), "nft", "1.0.6 or newer"),
        (replace(WELL, programs={}), "dnsmasq", "it is not there (dnsmasq-base)"),
        (replace(WELL, tun=False), "tun", "/dev/net/tun is missing"),
        (replace(WELL, refused="nft refused the firewall: no"), "nf_tables", "refused"),
        (replace(WELL, units=None, user=False), "user", "cloudsync-metadata"),
        (replace(WELL, units={**OFF, "libvirtd": "disabled"}), "libvirt", "does not start with the host"),
        (replace(WELL, units=OFF), "units", "cloudsync-guard and cloudsync-agent do not start"),
        (replace(WELL, units={**OFF, "cloudsync-guard": "enabled"}), "units", "cloudsync-agent does not start"),
        (replace(WELL, stale=("cloudsync-agent",)), "units", "not as this version has them: cloudsync-agent"),
        (replace(WELL, user=False), "units", "there is no user"),
        (replace(WELL, program="/home/ann/x/cloudsync"), "units", "they may not read /home/ann/x/cloudsync"),
    ],
)
def test_what_is_wrong_is_named(found: Machine, name: str, said: str) -> None:
    told = {one.name: one for one in fitness(found)}
    assert told[name].verdict is Verdict.PROBLEM
    assert said in told[name].message


def test_all_packages_come_by_one_command_and_none_twice() -> None:
    update, install = problems(replace(WELL, programs={}))["packages"]
    packages = shlex.split(install)[4:]
    assert update == "apt-get update"
    assert {"qemu-system-x86", "libvirt-daemon-system", "nftables"} < set(packages)
    assert len(packages) == len(set(packages))


def test_units_are_put_where_systemd_looks_and_the_program_too() -> None:
    lines = problems(replace(WELL, units=OFF, linked=False))["units"]
    assert lines[0] == "ln -sf /opt/cloudsync/bin/cloudsync /usr/local/bin/cloudsync"
    assert lines[1] == "python3 -m compileall -q /opt/cloudsync/lib/cloudsync"
    assert lines[-1] == "systemctl enable --now cloudsync-agent"
    assert problems(replace(WELL, units=OFF))["units"] == lines[1:]


def test_units_of_an_older_version_are_put_anew_and_the_agent_starts_with_them(tmp_path: Path) -> None:
    sources = Path(cloudsync.__file__).parent / "packaging"
    assert list(stale(sources, tmp_path)) == [], "none is installed"
    for name in UNITS:
        (tmp_path / f"{name}.service").write_bytes((sources / f"{name}.service").read_bytes())
    assert list(stale(sources, tmp_path)) == []
    (tmp_path / "cloudsync-agent.service").write_text("[Service]\n")
    assert list(stale(sources, tmp_path)) == ["cloudsync-agent"]
    lines = problems(replace(WELL, stale=("cloudsync-agent",)))["units"]
    assert lines[-1] == "systemctl restart cloudsync-agent"
    assert lines.index("systemctl daemon-reload") < lines.index(lines[-1])


def test_a_disk_cannot_be_made_without_qemu_img() -> None:
    """libvirt runs it, and Debian's packages of libvirt and QEMU only recommend the one that it is in."""
    assert "qemu-utils" in problems(replace(WELL, programs={}))["packages"][1].split()


WITHOUT_THE_LIBRARY = """\
import builtins, sys
load = builtins.__import__
def refuse(name, *rest):
    if name == "libvirt":
        raise ImportError("libvirt.so.0: cannot open shared object file: No such file or directory")
    return load(name, *rest)
builtins.__import__ = refuse
sys.argv = ["cloudsync", "host", "check"]
from cloudsync.__main__ import run
run()
"""


@pytest.mark.slow
def test_a_machine_that_never_had_libvirt_is_told_what_it_lacks() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_THE_LIBRARY], capture_output=True, text=True)
    assert done.returncode == 1
    assert "libvirt.so.0: cannot open shared object file" in done.stdout
    assert "apt-get install libvirt0" in done.stdout
    assert "dnsmasq" in done.stdout
    assert done.stderr == ""


def test_what_only_root_can_find_out_is_not_guessed() -> None:
    told = {one.name: one.verdict for one in fitness(replace(WELL, root=False, refused=None))}
    assert told["root"] is Verdict.WARNING
    assert "nf_tables" not in told


def test_the_units_lie_beside_the_program() -> None:
    folder = Path(cloudsync.__file__).parent / "packaging"
    assert {"cloudsync-agent.service", "cloudsync-guard.service", "sysusers.conf"} <= {
        one.name for one in folder.iterdir()
    }


@pytest.mark.real
def test_setup_runs_what_check_shows_until_nothing_is_left_that_it_can_mend(tmp_path: Path) -> None:
    """On an /etc of its own, without the user of the metadata service: no agent is started, for there is no systemd."""
    program = f"{shlex.quote(sys.executable)} -m cloudsync"
    script = f"""
        cp -a /etc {tmp_path}/etc && mount --bind {tmp_path}/etc /etc
        userdel cloudsync-metadata 2>/dev/null
        {program} host check; echo "check $?"
        {program} host setup -y; echo "setup $?"
        getent passwd cloudsync-metadata
    """
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True)
    before, after = done.stdout.split("check 1\n")
    assert "useradd --system" in before
    assert "+ useradd --system" in done.stderr
    assert "useradd" not in after
    assert "the kernel takes our rules" in after
    assert after.splitlines()[-1].startswith("cloudsync-metadata:")
    assert "Traceback" not in done.stderr


def test_commands_of_warnings_are_left_to_the_reader() -> None:
    assert commands(fitness(replace(WELL, debian=False))) == ()
