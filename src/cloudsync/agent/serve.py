"""The agent in the foreground, as `cloudsync agent` runs it."""

import logging
import sys
from pathlib import Path


def serve(socket: Path, state: Path, pool: Path, run: Path, metadata_port: int = 8775) -> int:
    """Serve the API at `socket` until SIGTERM or SIGINT, then 0; the socket is there when the agent is ready.

    Raise CloudsyncError when it cannot start: not root, another agent runs, a program is missing.
    """
    from cloudsync.agent import daemon
    from cloudsync.agent.parts import make_parts
    from cloudsync.agent.places import Places

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    places = Places(socket=socket, state=state, pool=pool, run=run, metadata_port=metadata_port)
    return daemon.run(places, make_parts)
