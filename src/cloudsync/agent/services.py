"""What the agent's API is a face of: made by daemon.py, given to app.py and guests.py."""

import asyncio
from pathlib import Path

from cloudsync.agent.alarm import Alarm
from cloudsync.agent.boots import Boots
from cloudsync.agent.denials.reader import Reader
from cloudsync.agent.images import Images
from cloudsync.agent.journal import Journal
from cloudsync.agent.keeper import Keeper
from cloudsync.agent.lock import ApplyLock
from cloudsync.agent.meter import Meter
from cloudsync.agent.neighbours.lookout import Lookout
from cloudsync.model.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`stop` is set when the agent ends."""

    keeper: Keeper
    boots: Boots
    images: Images
    lock: ApplyLock
    consoles: Path
    lookout: Lookout
    reader: Reader
    journal: Journal
    meter: Meter
    alarm: Alarm
    stop: asyncio.Event
