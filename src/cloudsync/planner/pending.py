"""What documents say of machines whose turn to be restarted or made anew has not come. Pure; make.py asks here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import Problem
from cloudsync.model.resources import Instance, Network, Nic
from cloudsync.model.snapshot import HostState
from cloudsync.planner.allocate import usable
from cloudsync.planner.conflicts import Conflicts
from cloudsync.planner.documents import Whole, whole
from cloudsync.planner.seen import Pair, Sight
from cloudsync.planner.turns import Turns

_HINT = "take `update` out of the spec for this apply, or change it in two steps"


def by_batch(
    cloud: Cloud, common: Whole, sight: Sight, hosts: Mapping[str, HostState], turns: Turns
) -> tuple[Whole, ...]:
    """What all documents share before each batch, and after the last of them: `common`."""
    found = [common]
    instances = dict(common.desired.instances)
    for batch in reversed(turns.batches):
        instances = {**instances, **{pair.name: as_it_is(pair) for pair in batch}}
        found.append(whole(cloud, replace(common.desired, instances=instances), sight, hosts, found[-1]))
    return tuple(reversed(found))


def as_it_is(pair: Pair) -> Instance:
    """The record, but with what takes effect at once. One that is made anew keeps its user-data too: what it is made
    anew for may be that."""
    record, wanted = pair.record, pair.wanted
    if record is None or wanted is None:
        raise ValueError(f"{pair.name} has nothing to be kept as it is")
    live = replace(
        record,
        nics=_cards(record.nics, wanted),
        groups=wanted.groups,
        keypairs=wanted.keypairs,
        metadata=wanted.metadata,
        state=wanted.state,
        protect=wanted.protect,
    )
    if pair.replaced:
        return live
    return replace(
        live,
        user_data=wanted.user_data,
        availability_zone=wanted.availability_zone,
        launch_index=wanted.launch_index,
    )


def _cards(now: tuple[Nic, ...], wanted: Instance) -> tuple[Nic, ...]:
    """A floating address that it is to have no more is given up at once: another may be waiting for it."""
    if _same_cards(now, wanted.nics):
        return wanted.nics
    return tuple(replace(nic, floating=nic.floating if nic.floating in wanted.floating else None) for nic in now)


def _same_cards(now: tuple[Nic, ...], wanted: tuple[Nic, ...]) -> bool:
    return [_card(nic) for nic in now] == [_card(nic) for nic in wanted]


def _card(nic: Nic) -> tuple[str, str, str, str]:
    return (nic.network, nic.address, nic.tap, nic.mac)


def unrollable(cloud: Cloud, turns: Turns, held: Conflicts, networks: Mapping[str, Network]) -> Iterator[Problem]:
    """Who cannot stay as it is until its turn, and why."""
    there = tuple(pair for batch in turns.batches for pair in batch)
    moving = tuple(pair for pair in turns.moves if pair.name in turns.back)
    found = [(pair, why) for pair in there for why in _uprooted(pair, networks)]
    found += [(pair, "moves and gets other network cards") for pair in moving if _recarded(pair)]
    found += [(pair, why) for pair in (*there, *moving) for why in _succeeded(pair, held)]
    for name, why in {pair.name: why for pair, why in found}.items():
        place = cloud.places.get(f"instance.{name}")
        yield Problem(message=f"instance.{name} cannot wait for its turn to restart: {why}", hint=_HINT, place=place)


def _uprooted(pair: Pair, networks: Mapping[str, Network]) -> Iterator[str]:
    """One document has one network of a name."""
    before = pair.source.document.networks if pair.source.document else {}
    for nic in pair.record.nics if pair.record else ():
        old, new = before.get(nic.network), networks.get(nic.network)
        if new is None:
            yield f"network.{nic.network}, where it is, goes"
        elif not usable(new, nic.address) or (old and old.gateway != new.gateway):
            yield f"network.{nic.network} changes under it"


def _recarded(pair: Pair) -> bool:
    return bool(pair.record and pair.wanted and not _same_cards(pair.record.nics, pair.wanted.nics))


def _succeeded(pair: Pair, held: Conflicts) -> Iterator[str]:
    takers: Iterable[Pair] = held.takers.get(pair.home.uuid, ()) if pair.home else ()
    for taker in takers:
        if taker.name != pair.name:
            yield f"instance.{taker.name} takes its name or its address over"
