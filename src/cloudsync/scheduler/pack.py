"""Fewer hosts in use: after packing, hosts that hold nothing but this batch's are emptied where others have room."""

from cloudsync.scheduler.repair import Seats
from cloudsync.scheduler.search import UNITS, search
from cloudsync.scheduler.unit import Unit

_HOSTS = 200
"""How many hosts are tried."""


def pack(seats: Seats, every: list[Unit]) -> None:
    """Move units of the batch off the emptiest hosts, all of one host or none; a small batch is placed anew for it."""
    if seats.batch.cloud.scheduler.strategy != "pack" or not every:
        return
    tried: set[str] = set()
    while len(tried) < _HOSTS:
        ours = [name for name in seats.used() if name not in tried and _only_ours(seats, name)]
        if not ours:
            return
        name = min(ours, key=lambda one: (seats.batch.load.share(seats.batch.rooms[one]), one))
        tried.add(name)
        if not seats.empty(name) and len(every) <= UNITS:
            _anew(seats, [unit for unit in every if unit.name in seats.host], name)


def _anew(seats: Seats, seated: list[Unit], without: str) -> None:
    """All units on the hosts in use less one, if that can be."""
    shut = seats.idle() | {without}
    mark = seats.mark()
    for unit in seated:
        seats.rise(unit)
    found = search(seats.batch, seated, shut)
    if found is None:
        seats.back_to(mark)
        return
    for unit in seated:
        seats.sit(unit, found[unit.name])


def _only_ours(seats: Seats, host: str) -> bool:
    """Nothing else keeps the host in use."""
    room, units = seats.batch.rooms[host], seats.on(host)
    taken = sum(unit.whole.flavor.vcpus for unit in units), sum(unit.whole.flavor.memory for unit in units)
    return (room.vcpus, room.memory) == taken
