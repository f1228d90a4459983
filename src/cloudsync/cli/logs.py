"""`logs NAME`: the serial console's log; with `--denied` what the instance's security groups denied."""

import json
import sys
from pathlib import Path

from cloudsync.cli.formats import one_of
from cloudsync.cli.machine import Found, found
from cloudsync.cli.say import out, out_raw, say
from cloudsync.model.denial import unlogged
from cloudsync.model.problem import CloudsyncError
from cloudsync.render import denied as render
from cloudsync.render.console import for_terminal


def run(path: Path, name: str) -> None:
    """Print it as it is; on a terminal without what would move the cursor or change the title."""
    with found(path, name) as machine:
        text = machine.driver.console_log(machine.instance.uuid)
    if sys.stdout is not None and sys.stdout.isatty():
        out(for_terminal(text))
    else:
        out_raw(text)


def run_denied(path: Path, name: str, follow: bool, style: str) -> None:
    """Print what is remembered; with `follow` then each one as it comes, a JSON object a line, until interrupted."""
    one_of(style, "text", "json")
    with found(path, name) as machine:
        _confirm_logged(path, machine)
        if follow:
            _follow(machine, style)
            return
        denials = machine.driver.denied(machine.instance.uuid)
    if style == "json":
        out(json.dumps(render.document(machine.cloud, machine.instance, denials), indent=2))
    else:
        out(render.text(machine.instance, denials))


def _confirm_logged(path: Path, machine: Found) -> None:
    """An error that says what keeps denied packets from being logged, and the line of the spec that changes it."""
    cloud, one, document = machine.cloud, machine.instance, machine.host.document
    silent = unlogged(one, document.groups if document else {})
    if silent is None:
        return
    wanted = cloud.instances.get(one.name)
    if wanted is None:
        raise silent
    raise unlogged(wanted, cloud.groups, cloud.places) or CloudsyncError(
        f"the spec has what is denied instance.{one.name} logged, and host.{machine.host.name} is not told of that yet",
        f"cloudsync -f {path} apply",
    )


def _follow(machine: Found, style: str) -> None:
    """Text begins with what is remembered."""
    if style == "text":
        out(render.text(machine.instance, machine.driver.denied(machine.instance.uuid)))
    else:
        say("each line is a denial; Ctrl-C ends it")
    machine.driver.follow_denied(
        machine.instance.uuid,
        lambda denial: out(json.dumps(render.row(denial)) if style == "json" else render.line(denial)),
    )
