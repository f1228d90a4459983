"""The process that guests talk to: `python -m cloudsync.agent.metadata LISTENER CHANNEL CONTROL FOLDER [LIMITS]`.

The agent starts it with the sockets open. It goes on without an agent, and gives the next one, who connects to CONTROL,
its listening socket: so guests are answered while the agent is restarted or upgraded. It ends when an agent says so.
"""

import asyncio
import json
import socket
from contextlib import suppress
from pathlib import Path

import uvloop

from cloudsync.agent.metadata.confine import confine
from cloudsync.agent.metadata.connection import Connection
from cloudsync.agent.metadata.limits import Limits
from cloudsync.agent.metadata.office import Link, Office, line_of
from cloudsync.agent.metadata.visitors import Visitors

BACKLOG = 1024
_SWEEP = 1.0
_FLUSH_SECONDS = 2.0


def main(arguments: list[str]) -> int:
    """0 when it was told to end, 1 when the process could not be confined: then it has served nobody."""
    listener, channel, control = (socket.socket(fileno=int(number)) for number in arguments[:3])
    limits = Limits(**json.loads(arguments[4])) if len(arguments) > 4 else Limits()
    try:
        confine(Path(arguments[3]))
    except (OSError, LookupError) as error:
        channel.sendall(line_of({"fatal": str(error)}))
        return 1
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(listener, channel, control, limits))
    return 0


async def _serve(listener: socket.socket, channel: socket.socket, control: socket.socket, limits: Limits) -> None:
    """Nobody is answered before the first records are in: a 404 would be believed, a guest in the queue waits."""
    loop = asyncio.get_running_loop()
    office, visitors = Office(), Visitors(limits)
    for each in (listener, channel, control):
        each.setblocking(False)
    channel.sendall(line_of({"ready": True}))
    await loop.create_unix_connection(lambda: Link(office), sock=channel)
    await office.loaded.wait()
    if office.ended.is_set():
        return
    spare = listener.dup()
    server = await loop.create_server(
        lambda: Connection(office.desk, visitors, limits, loop), sock=listener, backlog=BACKLOG
    )
    # Whoever listens is whom a connecting agent is told by the kernel as its peer.
    control.listen(1)
    loop.add_reader(control, _welcome, control, spare, office)
    while not office.ended.is_set():
        await _pause(office, visitors)
    loop.remove_reader(control)
    for each in (control, spare):
        each.close()
    server.close()
    await _see_out(visitors, limits)
    with suppress(TimeoutError):
        await asyncio.wait_for(office.flush(), _FLUSH_SECONDS)


def _welcome(control: socket.socket, listener: socket.socket, office: Office) -> None:
    """An agent has come, whom to obey and to report to from now on."""
    with suppress(OSError):
        link, _ = control.accept()
        link.setblocking(False)
        office.hand_over(link, listener)


async def _pause(office: Office, visitors: Visitors) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(office.ended.wait(), _SWEEP)
    visitors.sweep(asyncio.get_running_loop().time())
    office.count()


async def _see_out(visitors: Visitors, limits: Limits) -> None:
    """Whoever was let in is answered, once; the next request goes to the successor."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limits.request_seconds
    visitors.retire()
    while visitors.busy and loop.time() < deadline:
        await asyncio.sleep(0.02)
        visitors.sweep(loop.time())
