"""The API described, as `schemas/agent.openapi.json` holds it; `python -m cloudsync.agent.openapi` prints it."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from cloudsync.agent.alarm import Alarm
from cloudsync.agent.app import build
from cloudsync.agent.boots import Boots
from cloudsync.agent.denials.reader import Reader
from cloudsync.agent.denials.record import Record
from cloudsync.agent.images import Images
from cloudsync.agent.journal import Journal
from cloudsync.agent.keeper import Keeper
from cloudsync.agent.lock import ApplyLock
from cloudsync.agent.meter import Meter
from cloudsync.agent.neighbours.lookout import Lookout
from cloudsync.agent.pool import Pool
from cloudsync.agent.services import Services
from cloudsync.agent.store import Store


def describe() -> dict[str, Any]:
    """OpenAPI 3.1. Nothing is read or written: the API is built on a folder that is not there."""
    nowhere = Path("/nonexistent")
    services = Services(
        keeper=Keeper((), Store(nowhere)),
        boots=Boots(nowhere / "boots.json"),
        images=Images(Pool(nowhere)),
        lock=ApplyLock(),
        consoles=nowhere,
        lookout=Lookout(),
        reader=Reader(Record()),
        journal=Journal(nowhere),
        meter=Meter(),
        alarm=Alarm(tuple),
        stop=asyncio.Event(),
    )
    return build(services).openapi()


def text() -> str:
    """As it is checked in."""
    return json.dumps(describe(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
