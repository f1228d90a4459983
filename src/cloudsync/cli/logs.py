"""`logs NAME`: the serial console's log."""

import re
import sys
from pathlib import Path

from cloudsync.cli.machine import found

_HARMFUL = re.compile(rb"\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b[^\[]|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")
"""Everything a guest could steer a terminal with; colours (`ESC [ … m`) stay."""


def run(path: Path, name: str) -> None:
    """Print it; on a terminal without what would move the cursor or change the title."""
    with found(path, name) as machine:
        text = machine.driver.console_log(machine.instance.uuid)
    sys.stdout.buffer.write(_HARMFUL.sub(b"", text) if sys.stdout.isatty() else text)
    sys.stdout.buffer.flush()
