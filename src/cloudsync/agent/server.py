"""How the agent serves HTTP: its own interface, and its metrics where somebody may read them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cloudsync.agent.gathered import Gathered

Config = uvicorn.Config


class Server(uvicorn.Server):
    """uvicorn's own handlers would raise the signal again after the end; ours are set on the loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Protocol(HttpToolsProtocol):
    """An answer goes out whole."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Gathered(transport))


def config(app: Any, **limits: Any) -> Config:
    """No lifespan, no log of its own: it would repeat what was sent in tracebacks."""
    return Config(
        app,
        http=Protocol,
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
