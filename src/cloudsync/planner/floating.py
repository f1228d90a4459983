"""Floating addresses that pass from one instance to another: who has each now, and what the plan says of it. Pure.

On one host one document does it. Between hosts the one that has it must let go first: order.py asks here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Change
from cloudsync.model.resources import Instance, Nic
from cloudsync.model.snapshot import HostState
from cloudsync.planner.seen import Pair
from cloudsync.scheduler.homes import Home


def given(nics: tuple[Nic, ...], address: str | None) -> tuple[Nic, ...]:
    """The first of them has the floating address."""
    return (replace(nics[0], floating=address), *nics[1:]) if address else nics


def holders(pairs: Iterable[Pair], left: Iterable[tuple[HostState, Home]] = ()) -> dict[str, Pair]:
    """Who has each floating address by the last apply; what moves `left` behind on a host may have some still."""
    copies = [Pair(wanted=None, home=home, host=host, source=host) for host, home in left]
    return {address: pair for pair in (*copies, *pairs) if pair.record for address in pair.record.floating}


def moves(pairs: Iterable[Pair]) -> dict[str, tuple[str, ...]]:
    """By instance, as the plan calls it: what to say of the addresses that come to it and go from it."""
    listed = tuple(pairs)
    now = holders(listed)
    found: dict[str, list[str]] = {}
    for pair in listed:
        for address in pair.wanted.floating if pair.wanted else ():
            before = now.get(address)
            if before is not None and before.name != pair.name:
                found.setdefault(pair.name, []).append(f"{address} moves here from instance.{before.name}")
                found.setdefault(before.name, []).append(f"{address} moves to instance.{pair.name}")
    return {name: tuple(texts) for name, texts in found.items()}


def told(change: Change, pair: Pair, moving: Mapping[str, tuple[str, ...]]) -> Change:
    """`change` with what `moves` says of its instance."""
    return replace(change, reasons=(*change.reasons, *moving.get(pair.name, ())))


def awaited(host: str, wanted: Iterable[Instance], now: Mapping[str, Pair]) -> dict[str, str]:
    """Addresses that `host` is to have and another host still has, with that host."""
    return {
        address: now[address].source.name
        for one in wanted
        for address in one.floating
        if address in now and now[address].source.name != host
    }


def without(one: Instance, addresses: Collection[str]) -> Instance:
    """It does not have these."""
    if not any(address in addresses for address in one.floating):
        return one
    kept = (replace(nic, floating=None) if nic.floating in addresses else nic for nic in one.nics)
    return replace(one, nics=tuple(kept))


def until_free(document: HostDocument, addresses: Collection[str]) -> HostDocument:
    """`document` before another host has let go of these."""
    if not addresses:
        return document
    return replace(document, instances={name: without(one, addresses) for name, one in document.instances.items()})
