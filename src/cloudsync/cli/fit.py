"""`host check` and `host setup`: whether this machine can be a host, why not, what makes it one, and what unmakes it.

They need no spec.
"""

import json
import sys
from pathlib import Path

from cloudsync.cli.exits import Exit
from cloudsync.cli.formats import one_of
from cloudsync.cli.mend import carry_out, commands
from cloudsync.cli.say import colour, out, say
from cloudsync.model.checkup import Check, Verdict
from cloudsync.model.cloud import Host as Wanted
from cloudsync.model.problem import CloudsyncError
from cloudsync.render import doctor as render
from cloudsync.render.doctor import Findings

_ROUNDS = 3
"""What lacks a program cannot be looked at: each round of mending shows more."""


def check(style: str) -> int:
    """Show it; 1 when there is a problem."""
    one_of(style, "text", "json")
    return _show(_look(), style)


def setup(yes: bool) -> int:
    """Show it, run the commands that end the problems, and look again; 1 when some are left."""
    found = _look()
    for _ in range(_ROUNDS):
        wanted = commands(found)
        if not carry_out(wanted, yes, "sudo cloudsync host setup"):
            break
        found = _look()
        if commands(found) == wanted:
            break
    return _show(found, "text")


def undone(yes: bool) -> int:
    """Show the commands that take everything away, and run them; 1 when nobody agreed."""
    from cloudsync.agent.checkup.leave import leave

    wanted = leave(Path("/"), str(Path(sys.argv[0]).resolve()))
    if wanted and not carry_out(wanted, yes, "sudo cloudsync host setup --undo"):
        return Exit.FAILED
    say(
        "nothing is left of what `host setup` does; packages, and kernel settings until the next boot, are as they were"
    )
    return Exit.DONE


def _look() -> tuple[Check, ...]:
    """The machine itself, then the ways to libvirt and the agent, and what that says."""
    from cloudsync.agent.checkup.fitness import fitness
    from cloudsync.agent.checkup.machine import machine

    beyond = _beyond()
    found = fitness(machine())
    seen = {one.name for one in found}
    return (*found, *(one for one in beyond if one.name not in seen and one.name != "owner"))


def _beyond() -> tuple[Check, ...]:
    """Where libvirt was never installed, nothing can ask it."""
    try:
        from cloudsync.hosts.host import Host
    except CloudsyncError as error:
        return (Check(name="libvirt", verdict=Verdict.PROBLEM, message=error.message, hint=error.hint),)
    here = Host(Wanted(name="here", uri="qemu:///system"), "")
    try:
        return here.checkup()
    finally:
        here.close()


def _show(found: tuple[Check, ...], style: str) -> int:
    findings = Findings(None, (), {"here": found})
    if style == "json":
        out(json.dumps(render.document(findings), indent=2))
    else:
        out(render.text(findings, colour()))
    return Exit.FAILED if findings.unwell else Exit.DONE
