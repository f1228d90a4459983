"""One instance's change: what will be done to it, why, and how much that disturbs."""

from collections.abc import Iterable

from cloudsync.model import wire
from cloudsync.model.address import Address, Kind
from cloudsync.model.plan import Action, Change, Disruption, Field
from cloudsync.model.resources import Instance, Power
from cloudsync.planner import show
from cloudsync.planner.fields import as_fields, differing
from cloudsync.planner.seen import Pair


def changes(pairs: Iterable[Pair]) -> tuple[Change, ...]:
    """In the order of the pairs."""
    found = (change(pair) for pair in pairs)
    return tuple(one for one in found if one is not None)


def change(pair: Pair) -> Change | None:
    """None when the record says what is wanted already: what differs then is drift."""
    wanted, home = pair.wanted, pair.home
    if home is None:
        return _create(wanted) if wanted else None
    if wanted is None:
        return _delete(pair)
    if pair.replaced:
        return _replace(pair, wanted)
    return _update(pair, wanted) if pair.record else None


def _create(wanted: Instance) -> Change:
    fields = (
        Field(path="flavor", before=None, after=wanted.flavor),
        Field(path="image", before=None, after=wanted.image_name),
        Field(path="address", before=None, after=show.addresses(wanted)),
    )
    return Change(address=_address(wanted.name), action=Action.CREATE, fields=fields, hosts=(wanted.host,))


def _delete(pair: Pair) -> Change:
    home = pair.home
    name = home.name if home else ""
    destroys = pair.has_disk
    return Change(
        address=_address(name),
        action=Action.DELETE,
        reasons=("destroys its disk",) if destroys else (),
        hosts=(pair.host.name,),
        destroys_data=destroys,
        disruption=Disruption.DESTROYS_DATA if destroys else Disruption.NONE,
        before=_digest(pair),
    )


def _replace(pair: Pair, wanted: Instance) -> Change:
    record = pair.record
    before = record.image_name if record else None
    after = wanted.image_name
    if before == after and record:
        before, after = f"{before} sha256:{record.image[:12]}", f"{after} sha256:{wanted.image[:12]}"
    destroys = pair.has_disk
    return Change(
        address=_address(wanted.name),
        action=Action.REPLACE,
        fields=(Field(path="image", before=before, after=after),),
        reasons=("a disk cannot change its base",),
        hosts=(pair.host.name,),
        destroys_data=destroys,
        disruption=Disruption.DESTROYS_DATA if destroys else Disruption.RESTART,
        before=_digest(pair),
    )


def _update(pair: Pair, wanted: Instance) -> Change | None:
    record = pair.record
    if record is None or record == wanted:
        return None
    rows = differing(record, wanted)
    fields = [field for row in rows for field in as_fields(row, record, wanted)]
    classes = [_class(row.disruption, pair) for row in rows]
    reasons = sorted({row.reason for row in rows if row.reason})
    if record.state != wanted.state:
        fields.append(Field(path="state", before=record.state.value, after=wanted.state.value))
        stops = wanted.state is Power.STOPPED and _runs(pair)
        classes.append(Disruption.RESTART if stops else Disruption.NONE)
    return Change(
        address=_address(wanted.name),
        action=Action.RENAME if record.name != wanted.name else Action.UPDATE,
        fields=tuple(fields),
        reasons=tuple(reasons),
        hosts=(wanted.host,),
        disruption=max(classes, default=Disruption.NONE),
        before=_digest(pair),
    )


def _class(disruption: Disruption, pair: Pair) -> Disruption:
    """A machine that does not run is not restarted."""
    return disruption if _runs(pair) or disruption is not Disruption.RESTART else Disruption.NONE


def _runs(pair: Pair) -> bool:
    return pair.machine is not None and pair.machine.power is not Power.STOPPED


def _digest(pair: Pair) -> str:
    """Of the record and the machine together."""
    parts = [wire.digest(type(one), one) for one in (pair.record, pair.machine) if one is not None]
    return "-".join(part[:32] for part in parts)


def _address(name: str) -> str:
    return str(Address(Kind.INSTANCE, name))
