"""Other programs' tables into the obstacles they are to instances (pure); lookout.py asks it."""

from collections.abc import Iterable, Iterator, Sequence

from cloudsync.agent.neighbours.foreign import Act, Base, Table
from cloudsync.agent.neighbours.owner import Owner, owner
from cloudsync.agent.neighbours.packet import Packet
from cloudsync.agent.neighbours.remedy import Stop, note, remedy
from cloudsync.agent.neighbours.walk import Ending, walk
from cloudsync.model.dataclass import dataclass
from cloudsync.model.obstacle import Obstacle

_OUR_NAT = {"prerouting": -110, "output": -110, "postrouting": 90}
"""Priorities of our own nat chains: the first one that translates a connection decides."""
_UNSURE = "some rules there cannot be read from outside and were taken not to help"


@dataclass(frozen=True, slots=True)
class _Found:
    table: Table
    chain: str
    base: Base
    packet: Packet
    ending: Ending


def obstacles(tables: Iterable[Table], packets: Sequence[Packet], programs: frozenset[str]) -> tuple[Obstacle, ...]:
    """One for each owner and effect, in the order of their chains. `programs` are tools that the host has."""
    grouped: dict[tuple[Owner, bool], list[_Found]] = {}
    for found in _all(tables, packets):
        key = (owner(found.table, found.chain), found.ending.act is Act.NAT)
        grouped.setdefault(key, []).append(found)
    return tuple(_obstacle(*key, found, programs) for key, found in grouped.items())


def _all(tables: Iterable[Table], packets: Sequence[Packet]) -> Iterator[_Found]:
    for table in tables:
        for chain, base in sorted(table.bases().items(), key=lambda pair: pair[1].priority):
            for packet in packets:
                if packet.passes(table.family, base):
                    ending = walk(table, chain, base, packet)
                    if _bad(base, ending):
                        yield _Found(table, chain, base, packet, ending)


def _bad(base: Base, ending: Ending) -> bool:
    if base.kind == "nat":
        return ending.act is Act.NAT and base.priority <= _OUR_NAT.get(base.hook, base.priority - 1)
    return ending.act in (Act.DROP, Act.REJECT)


def _obstacle(whose: Owner, diverts: bool, found: Sequence[_Found], programs: frozenset[str]) -> Obstacle:
    stops = dict.fromkeys(_stop(one) for one in found)
    notes = [note(whose), _UNSURE if any(one.ending.unsure for one in found) else ""]
    return Obstacle(
        owner=whose.value,
        does="diverts" if diverts else "stops",
        where=tuple(dict.fromkeys(_where(one) for one in found)),
        traffic=tuple(dict.fromkeys(one.packet.what for one in found)),
        fix=tuple(dict.fromkeys(line for stop in stops for line in remedy(whose, stop, programs))),
        note="; ".join(one for one in notes if one),
    )


def _stop(found: _Found) -> Stop:
    table = found.table
    return Stop(
        table.family, table.name, table.tool, found.chain, found.base.hook, found.packet.outward, found.packet.tunnelled
    )


def _where(found: _Found) -> str:
    table = f"{'legacy ' if found.table.tool.value.endswith('legacy') else ''}{found.table.family} {found.table.name}"
    inner = f" in {found.ending.chain}" if found.ending.chain != found.chain else ""
    return f"table {table}, chain {found.chain}: {found.ending}{inner}"
