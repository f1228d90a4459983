"""What a metadata process says to the agent: JSON objects, one a line. It may have been taken over by a guest."""

import json
import socket
from collections.abc import Iterator
from typing import Any

LONGEST = 64 << 10
"""Bytes of one line; the longest that it has reason to send is a few KiB."""


def lines(channel: socket.socket) -> Iterator[dict[str, Any]]:
    """Until it ends, or says what is not a JSON object in a line: then it is no longer the one that was started."""
    with channel.makefile("rb") as reader:
        while True:
            try:
                line = reader.readline(LONGEST)
                message = json.loads(line) if line.endswith(b"\n") else None
            except (OSError, ValueError, RecursionError):
                return
            if not isinstance(message, dict):
                return
            yield message
