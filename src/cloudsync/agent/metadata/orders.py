"""The agent's orders as the process gets them: JSON lines that put or drop a record, and commit what came before.

A commit is answered with `ack`, or with `refused`, after which everything is as it was. One without changes is a ping.
`end` is the last order: guests are let go.
"""

import json
from collections.abc import Callable
from typing import Any

from cloudsync.agent.metadata.desk import Desk
from cloudsync.agent.metadata.record import Record, from_json


class Orders:
    def __init__(self, desk: Desk, reply: Callable[[dict[str, Any]], None], end: Callable[[], None]) -> None:
        self._desk, self._reply, self._end = desk, reply, end
        self._rest = b""
        self._put: dict[str, Record] = {}
        self._drop: set[str] = set()
        self._trouble = ""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._obey(line)

    def _obey(self, line: bytes) -> None:
        """An error is told by its kind only: its text could quote user-data."""
        try:
            order = json.loads(line)
            if "commit" in order:
                self._commit(int(order["commit"]))
            elif "end" in order:
                self._end()
            elif "drop" in order:
                self._drop.add(str(order["drop"]))
            else:
                record = from_json(order["put"])
                self._put[record.uuid] = record
        except (KeyError, TypeError, ValueError) as error:
            self._trouble = type(error).__name__

    def _commit(self, number: int) -> None:
        if self._trouble:
            self._reply({"refused": number, "why": f"a record was not understood ({self._trouble})"})
        else:
            self._desk.change(self._put.values(), self._drop)
            self._reply({"ack": number})
        self._put, self._drop, self._trouble = {}, set(), ""
