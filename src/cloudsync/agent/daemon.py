"""The agent's life: take the host's folders, bring the parts into force, serve the API until told to stop.

Called by serve.py with the real parts; tests give their own.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

import uvicorn

from cloudsync.agent.app import build
from cloudsync.agent.boots import Boots, kernels_life
from cloudsync.agent.denials.reader import Reader
from cloudsync.agent.denials.record import Record
from cloudsync.agent.guard import guard
from cloudsync.agent.images import Images
from cloudsync.agent.journal import Journal
from cloudsync.agent.keeper import Keeper
from cloudsync.agent.listen import alone, listening, starting
from cloudsync.agent.lock import ApplyLock
from cloudsync.agent.mender import Mender
from cloudsync.agent.neighbours.lookout import Lookout
from cloudsync.agent.notify import notify
from cloudsync.agent.part import Part
from cloudsync.agent.places import Places
from cloudsync.agent.pool import Pool
from cloudsync.agent.services import Services
from cloudsync.agent.store import Store
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import Boot

log = logging.getLogger("cloudsync.agent")

MakeParts = Callable[[Places, Callable[[Boot], None]], Sequence[Part]]
"""The parts in the order they are applied. The second argument takes what guests say of their boot, from any thread."""
_GRACE = 30
"""Seconds that a change under way has to end when the agent is told to stop."""


def run(places: Places, make_parts: MakeParts) -> int:
    """Serve until SIGTERM or SIGINT; 0 then. Rules, routes and guests stay as they are.

    Raise CloudsyncError when the agent cannot start: another one runs, a folder cannot be made.
    """
    try:
        places.make()
    except OSError as error:
        raise CloudsyncError(f"{error.filename} cannot be made: {error.strerror}", "run it as root") from error
    # Once the socket is there a SIGHUP may come; until the loop takes it, all is being brought into force anyway.
    signal.signal(signal.SIGHUP, lambda *_: None)
    with alone(places.state, places.socket):
        boots = Boots(places.state / "boots.json", kernels_life())
        keeper = Keeper(make_parts(places, boots.record), Store(places.state))
        reader = Reader(Record())
        try:
            with ExitStack() as stack:
                with starting(places.socket):
                    keeper.start()
                    reader.suit(keeper.document)
                    listener = stack.enter_context(listening(places.socket))
                    stack.enter_context(closing(Mender(keeper.mend)))
                asyncio.run(_serve(places, keeper, boots, reader, listener))
        finally:
            reader.close()
            keeper.close()
    return 0


async def _serve(places: Places, keeper: Keeper, boots: Boots, reader: Reader, listener: socket.socket) -> None:
    stop = asyncio.Event()
    services = Services(
        keeper=keeper,
        boots=boots,
        images=Images(Pool(places.pool)),
        lock=ApplyLock(),
        consoles=places.consoles,
        lookout=Lookout(places.metadata_port),
        reader=reader,
        journal=Journal(places.state),
        stop=stop,
    )
    server = _Server(_config(services))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _end, server, stop)
    loop.add_signal_handler(signal.SIGHUP, _restore, loop, keeper)
    log.info("the agent is ready at %s", places.socket)
    notify("READY=1")
    await server.serve(sockets=[listener])


def _restore(loop: asyncio.AbstractEventLoop, keeper: Keeper) -> None:
    """Somebody, like a restart of nftables, may have flushed the rules."""
    log.info("the agent brings its document into force again")
    loop.run_in_executor(None, keeper.restore)


def _end(server: uvicorn.Server, stop: asyncio.Event) -> None:
    """Streams end at once; a change under way is finished."""
    if not stop.is_set():
        notify("STOPPING=1")
        log.info("the agent stops; the host's rules stay")
    stop.set()
    server.should_exit = True


class _Server(uvicorn.Server):
    """uvicorn's own handlers would raise the signal again after the end; ours are set on the loop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(services: Services) -> uvicorn.Config:
    """No lifespan, no log of its own: it would repeat what was sent in tracebacks."""
    return uvicorn.Config(
        guard(build(services)),
        http="httptools",
        loop="asyncio",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
    )
