"""Finds out about this machine what fitness.py judges. Called by `cloudsync host check`, without an agent."""

import os
import pwd
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from cloudsync.agent.checkup import programs
from cloudsync.agent.checkup.fitness import NEEDED, UNITS, Machine
from cloudsync.agent.firewall import nft
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.render import render
from cloudsync.agent.metadata.confine import USER
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
"""Where systemd looks for programs."""
_INSTALLED = Path("/etc/systemd/system")
_PORT = 8775


def machine() -> Machine:
    """Look, now."""
    root = os.geteuid() == 0
    versions = {name: programs.version(programs.output(name, "--version")) for name in NEEDED}
    there = {name: version for name, version in versions.items() if version}
    sources = Path(str(files("cloudsync"))) / "packaging"
    return Machine(
        root=root,
        debian=Path("/etc/debian_version").exists(),
        programs=there,
        tun=_is_device("/dev/net/tun"),
        refused=_refused() if root and "nft" in there else None,
        user=_is_user(USER),
        units=_units() if Path("/run/systemd/system").is_dir() else None,
        program=str(Path(sys.argv[0]).resolve()),
        linked=shutil.which("cloudsync", path=_SYSTEM_PATH) is not None,
        sources=str(sources),
        python=sys.executable,
        stale=tuple(stale(sources, _INSTALLED)),
    )


def _is_device(path: str) -> bool:
    try:
        return stat.S_ISCHR(Path(path).stat().st_mode)
    except OSError:
        return False


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _refused() -> str:
    """All that our rules ask of a kernel is in those of a host without instances."""
    try:
        nft.check(render(compile_document(HostDocument(cloud="check", host="here"), _PORT)))
    except HostError as error:
        return error.message
    return ""


def stale(sources: Path, installed: Path) -> Iterator[str]:
    """Those of UNITS that an older version left there, or somebody changed in place (`systemctl edit` does not)."""
    for name in UNITS:
        unit = installed / f"{name}.service"
        if unit.is_file() and unit.read_bytes() != (sources / unit.name).read_bytes():
            yield name


def _units() -> Mapping[str, str]:
    """`enabled`, `disabled`, …; empty of a unit that is not installed. libvirt has one daemon, or one for each kind."""
    found = {name: programs.output("systemctl", "is-enabled", f"{name}.service").strip() for name in UNITS}
    daemons = {
        programs.output("systemctl", "is-enabled", unit).strip() for unit in ("libvirtd.service", "virtqemud.service")
    }
    return {**found, "libvirtd": "enabled" if "enabled" in daemons else "disabled"}
