"""A port for a program that has to be told one before it starts."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def free_port() -> Iterator[int]:
    """Of 127.0.0.1, kept for whoever asks for this very number with SO_REUSEADDR, as servers do: the kernel gives it to
    nobody who asks for any. A socket that is bound and does not listen is in no such server's way."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
