"""`logs NAME`: the serial console's log."""

import sys
from pathlib import Path

from cloudsync.cli.machine import found
from cloudsync.cli.say import out, out_raw
from cloudsync.render.console import for_terminal


def run(path: Path, name: str) -> None:
    """Print it as it is; on a terminal without what would move the cursor or change the title."""
    with found(path, name) as machine:
        text = machine.driver.console_log(machine.instance.uuid)
    if sys.stdout is not None and sys.stdout.isatty():
        out(for_terminal(text))
    else:
        out_raw(text)
