"""How the agent serves HTTP: its own interface, and its metrics where somebody may read them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

Config = uvicorn.Config


class Server(uvicorn.Server):
    """uvicorn's own handlers would raise the signal again after the end; ours are set on the loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def config(app: Any, **limits: Any) -> Config:
    """No lifespan, no log of its own: it would repeat what was sent in tracebacks."""
    return Config(
        app,
        http="httptools",
        loop="asyncio",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        **limits,
    )
