"""A process of its own for tests: the real agent with the parts of parts.py. `python run_agent.py FOLDER`."""

import logging
import sys
from pathlib import Path

from cloudsync.agent import daemon
from cloudsync.agent.places import Places
from cloudsync.model.problem import CloudsyncError
from tests.agent.parts import make_parts


def main() -> int:
    root = Path(sys.argv[1])
    places = Places(
        socket=root / "a.sock",
        state=root / "state",
        pool=root / "pool",
        run=root / "run",
        consoles=root / "consoles",
    )
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    try:
        return daemon.run(places, make_parts)
    except CloudsyncError as error:
        print(f"{error.message}\n{error.hint}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
