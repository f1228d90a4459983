"""One instance's change: what will be done to it, why, and how much that disturbs."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace

from cloudsync.model import wire
from cloudsync.model.address import Address, Kind
from cloudsync.model.plan import Action, Change, Disruption, Field
from cloudsync.model.resources import Instance, Network
from cloudsync.model.size import size
from cloudsync.model.snapshot import Machine
from cloudsync.model.unopened import spoken
from cloudsync.planner import departed, disks, show
from cloudsync.planner.act import Act, act, disruption, gateways, remarks, secret
from cloudsync.planner.fields import as_fields, differing
from cloudsync.planner.floating import moves, told
from cloudsync.planner.seen import Pair
from cloudsync.planner.unfinished import REASON, interrupted, unfinished

IN_THE_CLEAR = "its memory and disk travel between the hosts in the clear"
NEW_NIC = "a guest that has booted has to set a new network card up by itself"

TIDIED = "it is gone already"
ASKED = "asked for by --replace"
RENEWED = "its user-data changed, and its on_user_data_change is replace"


def changes(pairs: Iterable[Pair], networks: Mapping[str, Network], asked: Container[str] = ()) -> tuple[Change, ...]:
    """In the order of the pairs; `asked` are those that the person wants made anew."""
    listed = tuple(pair for pair in pairs if not pair.held)
    moving = moves(listed)
    return tuple(told(one, pair, moving) for pair in listed for one in every(pair, networks, asked))


def every(pair: Pair, networks: Mapping[str, Network], asked: Container[str] = ()) -> Iterator[Change]:
    """Data disks that go from what stays have a change of their own."""
    yield from filter(None, (change(disks.staying(pair) if pair.wanted else pair, networks, asked),))
    if pair.wanted and pair.going:
        yield disks.removal(pair, _digest(pair))


def change(pair: Pair, networks: Mapping[str, Network], asked: Container[str] = ()) -> Change | None:
    """None when all is as it should be."""
    wanted = pair.wanted
    if wanted is None:
        return _delete(pair)
    if pair.home is None:
        return departed.rebuilt(pair, wanted, pair.lost) if pair.lost else _create(wanted)
    if pair.replaced:
        return _replace(pair, wanted, networks, asked)
    if pair.machine is None and not pair.moves and unfinished(pair):
        return replace(_create(wanted), reasons=(REASON,), before=_digest(pair))
    what = act(pair, networks)
    fields = (*_fields(pair, wanted), *_gateways(pair, networks))
    if what is Act.MOVE or fields or (pair.record and pair.record != wanted):
        return _update(pair, wanted, fields, _meaning(pair, wanted, what, networks), remarks(pair, what, networks))
    meaning = disruption(pair, what, networks)
    if what is Act.NOTHING and pair.record:
        return None
    said = remarks(pair, what, networks)
    if pair.machine and (interrupted(pair) or (what is Act.START and unfinished(pair))):
        return replace(_update(pair, wanted, _left(pair.machine, wanted), meaning), reasons=(REASON, *said))
    return _repair(pair, wanted, meaning, said)


def _create(wanted: Instance) -> Change:
    fields = [
        Field(path="flavor", before=None, after=wanted.flavor),
        Field(path="image", before=None, after=wanted.image_name),
        Field(path="address", before=None, after=show.addresses(wanted)),
        *(Field(path="floating_ip", before=None, after=address) for address in wanted.floating),
        *(Field(path=f"disks.{name}", before=None, after=text) for name, text in disks.sizes(wanted).items()),
    ]
    if not all(nic.port_security for nic in wanted.nics):
        fields.append(Field(path="port_security", before=None, after=show.port_security(wanted)))
    return Change(address=_address(wanted.name), action=Action.CREATE, fields=tuple(fields), hosts=(wanted.host,))


def _delete(pair: Pair) -> Change:
    if not pair.is_there:
        return _tidied(pair)
    names = ((disks.ROOT,) if pair.has_disk else ()) + disks.destroyed(pair)
    destroys = bool(names)
    reasons = [f"destroys its disk{'s' if len(names) > 1 else ''} {', '.join(names)}"] if destroys else []
    if pair.record is None:
        reasons.append("it carries this cloud's mark, and no record knows it")
    return Change(
        address=_address(pair.name),
        action=Action.DELETE,
        reasons=tuple(reasons),
        hosts=(pair.host.name,),
        destroys_data=destroys,
        disks=names,
        disruption=Disruption.DESTROYS_DATA if destroys else Disruption.NONE,
        before=_digest(pair),
    )


def _tidied(pair: Pair) -> Change:
    """Of one that is gone: an apply that deleted it did not come to its record any more."""
    return Change(
        address=_address(pair.name),
        action=Action.UPDATE,
        fields=(Field(path="record", before="left", after=None),),
        reasons=(TIDIED,),
        hosts=(pair.host.name,),
        before=_digest(pair),
    )


def _replace(pair: Pair, wanted: Instance, networks: Mapping[str, Network], asked: Container[str]) -> Change:
    old = pair.record.image if pair.record else pair.machine.image if pair.machine else ""
    before, after = pair.record.image_name if pair.record else "", wanted.image_name
    if before in (after, ""):
        before, after = f"{before} {spoken(old)}".strip(), f"{after} {spoken(wanted.image)}"
    same = old == wanted.image
    why = ASKED if wanted.name in asked else RENEWED
    image = () if same else (Field(path="image", before=before, after=after),)
    # What runs on a disk that is gone from the pool still has it open.
    destroys = pair.has_disk or pair.runs
    kept = f"keeps {', '.join(disks.sizes(wanted))}" if disks.carried(pair) else ""
    return Change(
        address=_address(wanted.name),
        action=Action.REPLACE,
        fields=(*image, *(field for field in _fields(pair, wanted) if field.path != "image"), *_renewed(pair, wanted)),
        reasons=(why if same else "a disk cannot change its base", *filter(None, (kept,))),
        hosts=tuple(dict.fromkeys((pair.host.name, pair.source.name))),
        destroys_data=destroys,
        disks=(disks.ROOT,) if destroys else (),
        disruption=Disruption.DESTROYS_DATA if destroys else disruption(pair, Act.UPDATE, networks),
        before=_digest(pair),
    )


def _renewed(pair: Pair, wanted: Instance) -> tuple[Field, ...]:
    """User-data that came earlier, and that it was not made anew for then."""
    record = pair.record
    if record is None or record.seed is None or record.user_data != wanted.user_data:
        return ()
    before, after = show.user_data(record.seed.user_data), show.user_data(wanted.user_data)
    return (Field(path="user_data", before=before, after=after),)


def _update(
    pair: Pair, wanted: Instance, fields: tuple[Field, ...], meaning: Disruption, said: tuple[str, ...] = ()
) -> Change:
    record = pair.record or wanted
    reasons = {*said, *(row.reason for row in differing(record, wanted) if row.reason)}
    if len(wanted.nics) > len(record.nics):
        reasons.add(NEW_NIC)
    if meaning is Disruption.MIGRATE and not secret(pair):
        reasons.add(IN_THE_CLEAR)
    return Change(
        address=_address(wanted.name),
        action=_action(pair, record, wanted),
        fields=fields,
        reasons=tuple(sorted(reasons)),
        hosts=tuple(dict.fromkeys((wanted.host, pair.source.name))),
        disruption=meaning,
        before=_digest(pair),
    )


def _action(pair: Pair, record: Instance, wanted: Instance) -> Action:
    if pair.moves:
        return Action.MOVE
    return Action.RENAME if record.name != wanted.name else Action.UPDATE


def _meaning(pair: Pair, wanted: Instance, what: Act, networks: Mapping[str, Network]) -> Disruption:
    """A restart counts only where there is one."""
    rows = differing(pair.record or wanted, wanted)
    classes = [row.disruption for row in rows if row.disruption is not Disruption.RESTART]
    return max([*classes, disruption(pair, what, networks)])


def _repair(pair: Pair, wanted: Instance, meaning: Disruption, said: tuple[str, ...]) -> Change:
    """The record says what is wanted, the machine is something else: told as drift, and counted with its class here."""
    return Change(
        address=_address(wanted.name),
        action=Action.REPAIR,
        reasons=("what a cut-off apply or somebody else left is put right", *said),
        hosts=(wanted.host,),
        disruption=meaning,
        before=_digest(pair),
    )


def _left(machine: Machine, wanted: Instance) -> tuple[Field, ...]:
    """How it was left by an apply that was to make it as its record says."""
    shown = (
        ("name", machine.name, wanted.name),
        ("vcpus", str(machine.vcpus), str(wanted.vcpus)),
        ("memory", size(machine.memory), size(wanted.memory)),
        ("state", machine.power.value, wanted.state.value),
    )
    return tuple(Field(path=path, before=now, after=goal) for path, now, goal in shown if now != goal)


def _fields(pair: Pair, wanted: Instance) -> tuple[Field, ...]:
    """How the record differs from what is wanted."""
    record = pair.record
    moved = (Field(path="host", before=pair.source.name, after=pair.host.name),) if pair.moves else ()
    if record is None:
        return moved
    found = [*moved]
    found += [field for row in differing(record, wanted) for field in as_fields(row, record, wanted)]
    if record.state is not wanted.state:
        found.append(Field(path="state", before=record.state.value, after=wanted.state.value))
    return tuple(found)


def _gateways(pair: Pair, networks: Mapping[str, Network]) -> tuple[Field, ...]:
    """Only where nothing else of the NIC changes: the domain has to be written anew all the same."""
    moved = [(recorded, goal) for _, recorded, goal in gateways(pair, networks) if recorded != goal]
    return tuple(Field(path="gateway", before=before, after=after) for before, after in dict.fromkeys(moved))


def _digest(pair: Pair) -> str:
    """Of the record and the machine together; running or not is not part of it when it is as wanted."""
    parts = [wire.digest(one) for one in (pair.record, pair.machine) if one is not None]
    return "-".join(part[:32] for part in parts)


def _address(name: str) -> str:
    return str(Address(Kind.INSTANCE, name))
