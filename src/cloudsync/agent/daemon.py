"""The agent's life: take the host's folders, bring the parts into force, serve the API until told to stop.

Called by serve.py with the real parts; tests give their own.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from cloudsync.agent.alarm import Alarm
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
from cloudsync.agent.metadata.tally import Counts
from cloudsync.agent.meter import Meter, hearing
from cloudsync.agent.neighbours.lookout import Lookout
from cloudsync.agent.notify import notify
from cloudsync.agent.part import Part
from cloudsync.agent.places import Places
from cloudsync.agent.pool import Pool
from cloudsync.agent.server import Server, config
from cloudsync.agent.services import Services
from cloudsync.agent.store import Store
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import Boot

if TYPE_CHECKING:
    from cloudsync.agent.metrics import Counted

log = logging.getLogger("cloudsync.agent")

MakeParts = Callable[[Places, Callable[[Boot], None], Callable[[Counts], None]], Sequence[Part]]
"""The parts in the order they are applied. The second argument takes what guests say of their boot, and the third how
they were answered, from any thread."""

_GRACE = 30
"""Seconds that a change under way has to end when the agent is told to stop."""


def run(places: Places, make_parts: MakeParts, readers: tuple[str, int] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 0 then. Rules, routes and guests stay as they are. `readers` is the address
    and the port at which metrics can be read.

    Raise CloudsyncError when the agent cannot start: another one runs, a folder cannot be made.
    """
    try:
        places.make()
    except OSError as error:
        raise CloudsyncError(f"{error.filename} cannot be made: {error.strerror}", "run it as root") from error
    # Once the socket is there a SIGHUP may come; until the loop takes it, all is being brought into force anyway.
    signal.signal(signal.SIGHUP, lambda *_: None)
    with alone(places.state, places.socket), ExitStack() as stack:
        boots = Boots(places.state / "boots.json", kernels_life())
        counted = _counted(readers)
        meter = counted.meter if counted else Meter()
        keeper = Keeper(make_parts(places, hearing(boots, meter), meter.asked), Store(places.state))
        stack.callback(keeper.close)
        reader = Reader(Record())
        stack.callback(reader.close)
        with starting(places.socket):
            keeper.start()
            if keeper.document:
                meter.holds(keeper.document)
            reader.suit(keeper.document)
            listener = stack.enter_context(listening(places.socket))
            alarm = Alarm(lambda: keeper.look()[1])
            stack.enter_context(closing(Mender(_looking(keeper, meter, alarm))))
        services = _services(places, keeper, boots, reader, meter, alarm)
        asyncio.run(_serve(services, listener, counted, places.socket))
    return 0


def _counted(readers: tuple[str, int] | None) -> "Counted | None":
    """An agent whose metrics nobody can read keeps its guests all the same."""
    if readers is None:
        return None
    from cloudsync.agent.metrics import counted

    try:
        return counted(*readers)
    except CloudsyncError as error:
        log.error("%s; %s", error.message, error.hint)
        return None


def _looking(keeper: Keeper, meter: Meter, alarm: Alarm) -> Callable[[bool], None]:
    def look(patient: bool) -> None:
        meter.restored(keeper.mend(patient))
        alarm.check()

    return look


def _services(places: Places, keeper: Keeper, boots: Boots, reader: Reader, meter: Meter, alarm: Alarm) -> Services:
    return Services(
        keeper=keeper,
        boots=boots,
        images=Images(Pool(places.pool)),
        lock=ApplyLock(),
        consoles=places.consoles,
        lookout=Lookout(places.metadata_port),
        reader=reader,
        journal=Journal(places.state),
        meter=meter,
        alarm=alarm,
        stop=asyncio.Event(),
    )


async def _serve(services: Services, listener: socket.socket, counted: "Counted | None", where: Path) -> None:
    stop = services.stop
    server = Server(config(guard(build(services)), timeout_graceful_shutdown=_GRACE))
    pages = Server(counted.config) if counted else None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _end, [server, *([pages] if pages else [])], stop)
    loop.add_signal_handler(signal.SIGHUP, _restore, loop, services.keeper)
    log.info("the agent is ready at %s", where)
    notify("READY=1")
    reading = asyncio.ensure_future(pages.serve(sockets=[counted.listener])) if pages and counted else None
    await server.serve(sockets=[listener])
    if reading is not None:
        await asyncio.gather(reading, return_exceptions=True)


def _restore(loop: asyncio.AbstractEventLoop, keeper: Keeper) -> None:
    """Somebody, like a restart of nftables, may have flushed the rules."""
    log.info("the agent brings its document into force again")
    loop.run_in_executor(None, keeper.restore)


def _end(servers: Sequence[Server], stop: asyncio.Event) -> None:
    """Streams end at once; a change under way is finished."""
    if not stop.is_set():
        notify("STOPPING=1")
        log.info("the agent stops; the host's rules stay")
    stop.set()
    for server in servers:
        server.should_exit = True
