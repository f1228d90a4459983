"""Finds out about this host what judge.py judges. Called by app.py."""

import ctypes
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cloudsync import __version__
from cloudsync.agent import kvm, uplink
from cloudsync.agent.checkup import programs
from cloudsync.agent.checkup.facts import PROGRAMS, Facts
from cloudsync.agent.checkup.judge import checks
from cloudsync.agent.denials.reader import Reader
from cloudsync.agent.keeper import Keeper
from cloudsync.agent.neighbours.lookout import Lookout
from cloudsync.agent.pool import Pool
from cloudsync.model.checkup import Report
from cloudsync.model.dataclass import dataclass

_SETTINGS = Path("/proc/sys")
_NAMES = ("net/ipv4/ip_forward", "net/ipv4/conf/all/src_valid_mark")
_UFW = Path("/etc/ufw/ufw.conf")
_UNITS = Path("/etc/systemd/system")
_TIMEX = 256
"""Bytes, more than the kernel's struct timex takes."""
_CLOCK_ERROR = 5


@dataclass(frozen=True, slots=True)
class Checkup:
    """Everything of the agent's that is asked."""

    keeper: Keeper
    pool: Pool
    lookout: Lookout
    reader: Reader

    def report(self) -> Report:
        """Look at everything, now."""
        document, drift, _ = self.keeper.look()
        outward = (document.uplink if document else None) or uplink.find()
        found = Facts(
            document=document,
            drift=drift,
            sight=self.lookout.look(document, outward, fresh=True),
            settings=_settings(),
            active=tuple(_active()),
            flushes=any(_UNITS.glob("*.wants/nftables.service")),
            programs=_versions(),
            kvm=kvm.probe(),
            pool=str(self.pool.folder),
            pool_free=self.pool.free(),
            pool_size=self.pool.size(),
            synchronized=_synchronized(),
            networkd=_networkd(),
            denials=self.reader.fault,
        )
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        cloud = document.cloud if document and not document.released else ""
        return Report(version=__version__, at=at, cloud=cloud, checks=checks(found))


def _settings() -> Mapping[str, int]:
    paths = [_SETTINGS / name for name in _NAMES] + sorted(_SETTINGS.glob("net/ipv4/conf/*/rp_filter"))
    return {str(path.relative_to(_SETTINGS)): int(path.read_text()) for path in paths if path.exists()}


def _active() -> Iterator[str]:
    if programs.output("firewall-cmd", "--state").strip() == "running":
        yield "firewalld"
    if _UFW.exists() and "ENABLED=yes" in _UFW.read_text(errors="replace").split():
        yield "ufw"


def _networkd() -> str | None:
    """The main file and what is dropped in, in the order in which they count."""
    if programs.output("systemctl", "is-active", "systemd-networkd").strip() != "active":
        return None
    return programs.output("systemd-analyze", "cat-config", "--no-pager", "systemd/networkd.conf")


def _versions() -> Mapping[str, str]:
    said = {name: programs.version(programs.output(name, "--version")) for name in PROGRAMS}
    return {name: version for name, version in said.items() if version}


def _synchronized() -> bool | None:
    """What adjtimex(2) returns; reading needs no right."""
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX))
    return None if state < 0 else state != _CLOCK_ERROR
