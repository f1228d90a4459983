"""The agent in the foreground, as `cloudsync agent` runs it, and what it does early at boot."""

import logging
import sys
from pathlib import Path

from cloudsync.agent.places import Places


def serve(
    socket: Path,
    state: Path,
    pool: Path,
    run: Path,
    metadata_port: int = 8775,
    readers: tuple[str, int] | None = None,
) -> int:
    """Serve the API at `socket` until SIGTERM or SIGINT, then 0; the socket is there when the agent is ready. Metrics
    can be read at the address and port `readers`.

    Raise CloudsyncError when it cannot start: not root, another agent runs, a program is missing.
    """
    from cloudsync.agent import daemon
    from cloudsync.agent.parts import make_parts

    _log()
    return daemon.run(_places(socket, state, pool, run, metadata_port), make_parts, readers)


def guard(socket: Path, state: Path, pool: Path, run: Path, metadata_port: int = 8775) -> int:
    """Hold guests to the stored rules, or shut them off, and end; 0 then. Raise CloudsyncError when neither works."""
    from cloudsync.agent import early

    _log()
    early.close(_places(socket, state, pool, run, metadata_port))
    return 0


def _log() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _places(socket: Path, state: Path, pool: Path, run: Path, metadata_port: int) -> Places:
    return Places(socket=socket, state=state, pool=pool, run=run, metadata_port=metadata_port)
