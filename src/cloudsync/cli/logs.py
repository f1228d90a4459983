"""`logs NAME`: the serial console's log; with `--denied` what the instance's security groups denied."""

import json
import re
import sys
from pathlib import Path

from cloudsync.cli.formats import one_of
from cloudsync.cli.machine import Found, found
from cloudsync.cli.say import out, say
from cloudsync.render import denied as render

_HARMFUL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b[^\[]|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")
"""Everything a guest could steer a terminal with; colours (`ESC [ … m`) stay."""


def run(path: Path, name: str) -> None:
    """Print it; on a terminal without what would move the cursor or change the title."""
    with found(path, name) as machine:
        text = machine.driver.console_log(machine.instance.uuid)
    sys.stdout.buffer.write(_HARMFUL.sub(b"", text) if sys.stdout.isatty() else text)
    sys.stdout.buffer.flush()


def run_denied(path: Path, name: str, follow: bool, style: str) -> None:
    """Print what is remembered; with `follow` then each one as it comes, a JSON object a line, until interrupted."""
    one_of(style, "text", "json")
    with found(path, name) as machine:
        if follow:
            _follow(machine, style)
            return
        denials = machine.driver.denied(machine.instance.uuid)
    if style == "json":
        out(json.dumps(render.document(machine.cloud, machine.instance, denials), indent=2))
    else:
        out(render.text(machine.instance, denials))


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
