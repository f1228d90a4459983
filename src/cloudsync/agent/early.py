"""The host before its network and its machines are up: guests are held to the stored rules, or shut off.

`cloudsync agent --guard` calls it: once at boot, and whenever nftables was started anew. It needs nothing that runs.
"""

import logging
import os
import signal
from collections.abc import Sequence

from cloudsync.agent.firewall import Firewall, shut
from cloudsync.agent.links import Fabric, Floating, Guards, Links
from cloudsync.agent.listen import Busy, alone, owner_of
from cloudsync.agent.mishap import mishap
from cloudsync.agent.part import Part
from cloudsync.agent.places import Places
from cloudsync.agent.store import Store
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import CloudsyncError

log = logging.getLogger("cloudsync.agent")


def close(places: Places) -> None:
    """An agent that runs is told to do it. Raise HostError when guests are not even shut off: none may start then."""
    living = owner_of(places.socket)
    if living is not None:
        os.kill(living, signal.SIGHUP)
        return
    walls = Firewall(places.metadata_port)
    try:
        places.make()
        with alone(places.state, places.socket):
            _bring_in(places, walls)
    except Busy:
        log.info("an agent is starting, and does it itself")
    except Exception as error:
        log.error("the stored rules cannot be loaded: %s", mishap(error))
        _shut_unless_loaded(walls)


def _bring_in(places: Places, walls: Firewall) -> None:
    found = Store(places.state).load()
    if found is None:
        log.info("this host never had a document: it has no guests")
        return
    if isinstance(found, HostDocument):
        _apply((Guards(), walls, Links(walls.loaded), Fabric(), Floating()), found)
    else:
        log.error("the stored document is damaged: %s", found.reason)
    _shut_unless_loaded(walls)


def _apply(parts: Sequence[Part], document: HostDocument) -> None:
    """Each that does not need one that failed."""
    failed: set[str] = set()
    for part in parts:
        if failed.isdisjoint(part.needs):
            try:
                part.apply(document)
            except CloudsyncError as error:
                failed.add(part.name)
                log.error("%s: %s", part.name, mishap(error))
        part.close()


def _shut_unless_loaded(walls: Firewall) -> None:
    if not _loaded(walls):
        shut()
        log.error("guests are shut off until the agent has brought their rules into force")


def _loaded(walls: Firewall) -> bool:
    try:
        return walls.loaded()
    except CloudsyncError as error:
        log.error("%s", error.message)
        return False
