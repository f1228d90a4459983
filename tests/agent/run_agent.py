"""What an agent's process does in tests: the real agent with the parts of parts.py. `nursery` starts it."""

import logging
import sys
from pathlib import Path

from cloudsync.agent import daemon
from cloudsync.agent.places import Places
from cloudsync.model.problem import CloudsyncError
from tests.agent.parts import make_parts


def main(root: Path) -> int:
    """Its exit status."""
    places = Places(
        socket=root / "a.sock",
        state=root / "state",
        pool=root / "pool",
        run=root / "run",
        consoles=root / "consoles",
    )
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    try:
        readers = root / "readers"
        return daemon.run(places, make_parts, ("127.0.0.1", int(readers.read_text())) if readers.exists() else None)
    except CloudsyncError as error:
        print(f"{error.message}\n{error.hint}", file=sys.stderr)
        return 1
