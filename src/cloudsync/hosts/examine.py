"""The way from here to one real host, looked at step by step: ssh, libvirt, the agent, then what that says of its host.

Called by host.py. What cannot be reached is a problem with its fix, and what lies behind it is not looked at.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from cloudsync import __version__
from cloudsync.hosts.agent_client import AgentClient
from cloudsync.hosts.ask import Ask
from cloudsync.hosts.libvirt.connection import Connection
from cloudsync.hosts.taps import cut_off
from cloudsync.model.checkup import Check, Report, Verdict
from cloudsync.model.cloud import Host
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import SKEW, HostState
from cloudsync.model.version import upgrade

_PATIENCE = 15.0
"""Seconds; the agent asks several programs."""


def examine(
    connection: Connection,
    agent: AgentClient,
    wanted: Host,
    cloud: str,
    lead: Callable[[], str],
    observe: Callable[[], HostState],
) -> tuple[Check, ...]:
    """Every check, in order; libvirt and the agent are asked at once. `lead` goes the way to another machine and says
    which, empty for this one. `observe` is asked for what takes both."""
    ssh = Ask(f"host {wanted.name}: ssh", lead)
    libvirt = Ask(f"libvirt of host {wanted.name}", lambda: _version(connection))
    report = Ask(f"the agent of host {wanted.name}", lambda: _timed(agent))
    try:
        where = ssh.answer(_PATIENCE)
    except CloudsyncError as error:
        return (_failed("ssh", error),)
    found = [Check(name="ssh", verdict=Verdict.OK, message=f"{where} lets us in")] if where else []
    found.append(_reached("libvirt", libvirt, wanted.uri))
    try:
        said, skew = report.answer(_PATIENCE)
    except CloudsyncError as error:
        return (*found, _failed("agent", error))
    return (*found, _same_version(said), *_owner(said, cloud), _clocks(said, skew), *said.checks, *cut_off(observe()))


def _version(connection: Connection) -> str:
    with connection.doing("ask its version") as raw:
        number = raw.getLibVersion()
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


def _reached(name: str, ask: "Ask[str]", uri: str) -> Check:
    try:
        return Check(name=name, verdict=Verdict.OK, message=f"{uri} answers, version {ask.answer(_PATIENCE)}")
    except CloudsyncError as error:
        return _failed(name, error)


def _failed(name: str, error: CloudsyncError) -> Check:
    return Check(name=name, verdict=Verdict.PROBLEM, message=error.message, hint=error.hint)


def _same_version(said: Report) -> Check:
    if said.version == __version__:
        return Check(name="agent", verdict=Verdict.OK, message=f"it answers, version {said.version}")
    apart = upgrade(__version__, said.version)
    if apart:
        return Check(name="agent", verdict=Verdict.PROBLEM, message=apart)
    return Check(
        name="agent",
        verdict=Verdict.WARNING,
        message=f"it is version {said.version}, this is {__version__}",
        hint="install the same version on both, then: systemctl restart cloudsync-agent",
    )


def _owner(said: Report, cloud: str) -> tuple[Check, ...]:
    if said.cloud in ("", cloud):
        return ()
    return (
        Check(
            name="owner",
            verdict=Verdict.PROBLEM,
            message=f"this host belongs to cloud {said.cloud}",
            hint=f"run `cloudsync destroy` of {said.cloud} first, or take this host out of the spec",
        ),
    )


def _timed(agent: AgentClient) -> tuple[Report, float]:
    """What it says, and how many seconds its clock was from ours when that came: others may be waited for longer."""
    said = agent.checkup()
    try:
        return said, abs((datetime.now(UTC) - datetime.fromisoformat(said.at)).total_seconds())
    except (ValueError, TypeError):
        return said, float("inf")


def _clocks(said: Report, skew: float) -> Check:
    if skew <= SKEW:
        return Check(name="time", verdict=Verdict.OK, message="the same there and here")
    message = f"its clock says {said.at}, {skew:.0f} s from this machine's"
    return Check(name="time", verdict=Verdict.WARNING, message=message, hint="set the one that is wrong right")
