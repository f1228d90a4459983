"""Steps that remove data disks of instances that stay, and what waits for which. Pure; called by order.py."""

from collections.abc import Iterable, Iterator, Mapping

from cloudsync.model.resources import DataDisk, Network
from cloudsync.model.step import DeleteDisk
from cloudsync.planner.act import Act, act
from cloudsync.planner.disks import unsettled
from cloudsync.planner.seen import Pair

Networks = Mapping[str, Network]
_MAKING = (Act.CREATE, Act.UPDATE, Act.KEEP, Act.GROW, Act.MOVE)


def removals(pairs: Iterable[Pair], ready: tuple[str, ...], networks: Networks) -> Iterator[DeleteDisk]:
    """For `pairs` as they are on one host, which has its document after `ready`.

    Each comes after what takes the disk out of the machine anyway, or stops it; a start and a move come after these.
    """
    for pair in pairs:
        what = act(pair, networks)
        before = () if what in (Act.NOTHING, Act.START, Act.MOVE) else (machine_id(pair, what),)
        for disk in _going(pair):
            yield DeleteDisk(
                id=_id(pair, disk),
                host=pair.source.name,
                address=f"instance.{pair.name}",
                waits_for=(*ready, *before),
                uuid=pair.home.uuid if pair.home else "",
                disk=disk,
            )


def first(pair: Pair, what: Act) -> tuple[str, ...]:
    """Removals that the machine's own step waits for: easier while it is off, or to be done where it is."""
    return tuple(_id(pair, disk) for disk in _going(pair)) if what in (Act.START, Act.MOVE) else ()


def making(pairs: Iterable[Pair], networks: Networks) -> Iterator[str]:
    """Steps that make or grow data disks of `pairs`, which are to be on one host."""
    for pair in pairs:
        if unsettled(pair) and (what := act(pair, networks)) in _MAKING:
            yield machine_id(pair, what)


def machine_id(pair: Pair, what: Act) -> str:
    """The one step that a wanted instance needs."""
    return f"{pair.host.name}/instance.{pair.name}/{what.value}"


def _going(pair: Pair) -> tuple[DataDisk, ...]:
    return pair.going if pair.wanted and not pair.replaced else ()


def _id(pair: Pair, disk: DataDisk) -> str:
    return f"{pair.source.name}/instance.{pair.name}/delete-disk-{disk.id[:8]}"
