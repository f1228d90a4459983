"""Facts about a machine into checks: can it be a host at all, before any agent runs there (pure).

Made by machine.py for `cloudsync host check` and `host setup`, in the order in which one would mend them.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import PurePath

from cloudsync.agent.checkup.facts import PROGRAMS
from cloudsync.agent.checkup.judge import numbers
from cloudsync.agent.metadata.confine import FALLBACK, USER
from cloudsync.model.checkup import Check, Verdict
from cloudsync.model.dataclass import dataclass

NEEDED: Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "qemu-system-x86_64": (("qemu-system-x86",), (7,)),
    "libvirtd": (("libvirt-daemon-system", "libvirt-daemon-driver-qemu"), (9,)),
    "virsh": (("libvirt-clients",), (9,)),
    "qemu-img": (("qemu-utils",), (7,)),
    **{name: ((package,), oldest) for name, (package, oldest) in PROGRAMS.items()},
}
"""Programs: Debian's packages, and the oldest version that is known to do."""
UNITS = ("cloudsync-guard", "cloudsync-agent")
_HIDDEN = ("/home/", "/root/", "/run/user/")
"""What ProtectHome=yes hides from the units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """`programs` are versions, by name, of those of NEEDED that are there. `refused` is why the kernel does not take
    our rules, empty when it does, None when only root could find out. `units` are the states of UNITS and of libvirt's
    daemon that systemd knows, None without systemd; `stale` are those of UNITS that are installed and are not as ours.
    `program` is where `cloudsync` really lies, `linked` whether systemd finds it, `python` what runs it; `sources` is
    the folder of our units.
    """

    root: bool = True
    debian: bool = True
    programs: Mapping[str, str] = field(default_factory=dict)
    tun: bool = True
    refused: str | None = ""
    user: bool = True
    units: Mapping[str, str] | None = None
    stale: tuple[str, ...] = ()
    program: str = ""
    linked: bool = True
    sources: str = ""
    python: str = "python3"


def fitness(found: Machine) -> tuple[Check, ...]:
    """Everything that was looked at, what is well too."""
    return (*_rights(found), *_programs(found), *_kernel(found), *_service(found))


def _rights(found: Machine) -> Iterator[Check]:
    if not found.root:
        yield _said(Verdict.WARNING, "root", "only root sees all of it", hint="sudo cloudsync host check")
    if not found.debian:
        yield _said(Verdict.WARNING, "system", "this is not Debian", hint="packages have other names here")


def _programs(found: Machine) -> Iterator[Check]:
    lacking: list[str] = []
    for name, (packages, oldest) in NEEDED.items():
        version = found.programs.get(name)
        wanted = ".".join(map(str, oldest))
        if version is None:
            lacking += packages
            yield _said(Verdict.PROBLEM, name, f"it is not there ({', '.join(packages)})")
        elif numbers(version) < oldest:
            yield _said(Verdict.PROBLEM, name, f"it is version {version}; {wanted} or newer is needed")
        else:
            yield _said(Verdict.OK, name, version)
    if lacking:
        install = f"apt-get install --yes --no-install-recommends {' '.join(dict.fromkeys(lacking))}"
        message = f"missing: {', '.join(dict.fromkeys(lacking))}"
        yield _said(Verdict.PROBLEM, "packages", message, ("apt-get update", install))


def _kernel(found: Machine) -> Iterator[Check]:
    if found.tun:
        yield _said(Verdict.OK, "tun", "/dev/net/tun is there")
    else:
        yield _said(Verdict.PROBLEM, "tun", "/dev/net/tun is missing: no network cards for guests", ("modprobe tun",))
    if "nft" not in found.programs or found.refused is None:
        return
    if found.refused:
        yield _said(Verdict.PROBLEM, "nf_tables", found.refused, hint="a kernel with nf_tables is needed: 6.1 or newer")
    else:
        yield _said(Verdict.OK, "nf_tables", "the kernel takes our rules")


def _service(found: Machine) -> Iterator[Check]:
    if found.units is None:
        yield _said(
            Verdict.OK, "systemd", "it does not run here", hint="start by hand: libvirtd, and `cloudsync agent`"
        )
        if not found.user:
            add = f"useradd --system --no-create-home --shell /usr/sbin/nologin {USER}"
            yield _said(Verdict.PROBLEM, "user", f"there is no {USER}: the metadata service is {FALLBACK}", (add,))
        return
    if found.units.get("libvirtd", "enabled") != "enabled":
        yield _said(Verdict.PROBLEM, "libvirt", "it does not start with the host", ("systemctl enable --now libvirtd",))
    yield from _units(found, found.units)


def _units(found: Machine, units: Mapping[str, str]) -> Iterator[Check]:
    if found.program.startswith(_HIDDEN):
        hint = "install cloudsync outside of it, in /opt say, then run `host setup` of that one"
        yield _said(Verdict.PROBLEM, "units", f"they may not read {found.program}", hint=hint)
        return
    lacking = [name for name in UNITS if units.get(name, "") != "enabled"]
    if not lacking and not found.stale and found.user:
        yield _said(Verdict.OK, "units", "the agent and its guard start with the host")
        return
    link = () if found.linked else (f"ln -sf {shlex.quote(found.program)} /usr/local/bin/cloudsync",)
    files = " ".join(shlex.quote(f"{found.sources}/{name}.service") for name in UNITS)
    fix = (
        *link,
        # The units may not write there: what is not compiled now, each start of theirs would compile anew.
        f"{shlex.quote(found.python)} -m compileall -q {shlex.quote(str(PurePath(found.sources).parent))}",
        f"install -D -m 644 {shlex.quote(found.sources + '/sysusers.conf')} /usr/lib/sysusers.d/cloudsync.conf",
        "systemd-sysusers",
        f"install -m 644 -t /etc/systemd/system {files}",
        "systemctl daemon-reload",
        "systemctl enable cloudsync-guard",
        "systemctl enable --now cloudsync-agent",
        *(("systemctl restart cloudsync-agent",) if found.stale else ()),
    )
    yield _said(Verdict.PROBLEM, "units", _ailing(lacking, found.stale), fix)


def _ailing(lacking: Sequence[str], stale: Sequence[str]) -> str:
    if lacking:
        return f"{' and '.join(lacking)} {'do' if len(lacking) > 1 else 'does'} not start with the host"
    if stale:
        return f"not as this version has them: {', '.join(stale)}"
    return f"there is no user {USER}"


def _said(verdict: Verdict, name: str, message: str, fix: tuple[str, ...] = (), hint: str = "") -> Check:
    return Check(name=name, verdict=verdict, message=message, fix=fix, hint=hint)
