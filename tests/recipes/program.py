"""`cloudsync` on the machine of a job: it hands its words and its streams to a process that has everything loaded.

That runs the program in a copy of itself. A job starts it many times, and each start from nothing takes a second.
"""

import json
import os
import socket
import sys
import tempfile
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

from tests.lab.copied import run_here, server, stand_in

MOST = 1 << 20
PATIENCE = 60
ASKING = """\
#!{python} -SI
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
    door.connect({path!r})
    said = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()])
    socket.send_fds(door, [said.encode()], [0, 1, 2])
    sys.exit(int(door.recv(16)))
"""


def put(place: Path) -> None:
    """The command, at that place."""
    place.write_text(ASKING.format(python=sys.executable, path=_door()))
    place.chmod(0o755)


@cache
def _door() -> str:
    """The socket of the one who waits, which ends with this process."""
    path = f"{_folder().name}/door"
    context = server()
    here, there = context.Pipe()
    context.Process(target=_wait, args=(path, there), daemon=True).start()
    assert here.poll(PATIENCE) and here.recv() == "open"
    return path


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory()


def _wait(path: str, there: "Connection[str, str]") -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(path)
        door.listen(8)
        there.send("open")
        while True:
            asking, _ = door.accept()
            with asking:
                said, streams, _, _ = socket.recv_fds(asking, MOST, 3)
                if said:
                    asking.send(str(_copy(json.loads(said), streams)).encode())


def _copy(asked: tuple[list[str], dict[str, str], str], streams: list[int]) -> int:
    """Its exit code."""
    child = os.fork()
    if child:
        for stream in streams:
            os.close(stream)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code if code >= 0 else 128 - code
    command, environment, folder = asked
    code = 1
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        stand_in(environment, folder)
        run_here(command)
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)
