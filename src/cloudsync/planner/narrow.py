"""A plan of which only some changes are carried out: what is left out stays exactly as it is on record, and so does all
that cannot come without it. Pure; pipeline.py asks for `--target`, and for what a watch does by itself.

No step is taken out of a plan: what is left out is taken out of the cloud, and the rest is decided anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import replace
from typing import TypeVar

from cloudsync.model.address import numbered
from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Action, Change, Disruption, Held, Plan
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import Group, Image, Instance, Keypair, Network
from cloudsync.model.snapshot import HostState
from cloudsync.model.step import Step
from cloudsync.planner.conflicts import overlaps
from cloudsync.planner.departed import stops_copy
from cloudsync.planner.held import as_recorded
from cloudsync.scheduler.homes import Home, Homes, find_homes

Noun = TypeVar("Noun", Group, Keypair, Network)
Goes = Callable[[Change], bool]

TOGETHER = "what waits and what does not cannot be told apart here: nothing is carried out"


class Inseparable(Exception):
    """It cannot be left as it is: no record says how that would be."""


def quiet(change: Change) -> bool:
    """Whether nobody notices: it creates, or disturbs nothing that runs, but for a copy that was given up."""
    stays = change.action not in (Action.DELETE, Action.REPLACE, Action.MOVE) or not _instance(change.address)
    return stays and (change.disruption <= Disruption.LIVE or stops_copy(change))


def narrowed(
    cloud: Cloud,
    hosts: Mapping[str, HostState],
    whole: Plan,
    goes: Goes,
    decide: Callable[[Cloud], Plan],
    why: str,
    besides: Iterable[str] = (),
    upkeep: bool = False,
) -> Plan:
    """`whole`, which `decide` made of `cloud`, with those changes alone that `goes` names; the others are held for
    `why`. `besides` are addresses to be left as they are though nothing is planned for them.

    With `upkeep`, what has drifted of an instance that is held is set back to its record, where `goes` names that: one
    that crashed while a change of it waits is started as it was.

    Where nothing can be carried out apart from what is held, or an expectation would not hold until the rest has come,
    all of it is held.
    """
    held = {change.address for change in whole.changes if not goes(change)} | {*besides}
    scene = _Scene(cloud, find_homes(cloud, hosts), hosts, {change.address for change in whole.changes})
    stuck: set[str] = set()
    while held:
        try:
            held = scene.tied(held)
            untouched = stuck if upkeep else held
            part = decide(scene.without(held, held - untouched))
        except (CloudsyncError, Inseparable):
            return _none(whole, why)
        more = _more(part, goes, held, untouched)
        if more & held & untouched or _broken(part) - _broken(whole):
            return _none(whole, why)
        if not more:
            part = _with_images(part, goes)
            return replace(part, held=_told(part, whole, why, held))
        stuck |= more & held
        held |= more
    return whole


def _more(part: Plan, goes: Goes, held: Set[str], untouched: Set[str]) -> set[str]:
    """Addresses that `part` changes, and is not to."""
    found = set()
    for change in part.changes:
        mends = change.action is Action.REPAIR and change.address not in untouched
        if not goes(change) or (change.address in held and not mends):
            found.add(change.address)
    return {address for address in found if not address.startswith("image.")}


def _told(part: Plan, whole: Plan, why: str, held: Set[str] = frozenset()) -> tuple[Held, ...]:
    """With what stays for the sake of what is held, as a key pair that only such an instance has."""
    made = {change.address for change in part.changes} - held
    left = (change for change in whole.changes if change.address not in made)
    waiting = (Held(why=why, change=change) for change in left if not change.address.startswith("host."))
    return tuple(sorted((*part.held, *waiting), key=lambda one: one.change.address))


def _broken(plan: Plan) -> set[str]:
    return {one.expectation.key for one in plan.broken}


def _none(whole: Plan, why: str) -> Plan:
    """Nothing of it."""
    empty = Plan(cloud=whole.cloud, commit=whole.commit, spec_digest=whole.spec_digest, hosts=whole.hosts)
    return replace(
        empty,
        expectations=whole.expectations,
        unplaced=whole.unplaced,
        warnings=(*whole.warnings, TOGETHER),
        held=_told(replace(empty, held=whole.held), whole, why),
        notes=whole.notes,
        replaced=whole.replaced,
        evacuated=whole.evacuated,
    )


def _with_images(part: Plan, goes: Goes) -> Plan:
    """Images stay, or stay away, where no step waits for them."""
    left = {change.address for change in part.changes if change.address.startswith("image.") and not goes(change)}
    return without_steps(part, lambda step: step.address in left) if left else part


def without_steps(plan: Plan, spared: Callable[[Step], bool]) -> Plan:
    """Without those that no other waits for, and the changes that have none left then."""
    awaited = {one for step in plan.steps if not spared(step) for one in step.waits_for}
    gone = [step for step in plan.steps if spared(step) and step.id not in awaited]
    ids = {step.id for step in gone}
    kept = tuple(step for step in plan.steps if step.id not in ids)
    left = {step.address for step in gone} - {step.address for step in kept}
    return replace(plan, steps=kept, changes=tuple(one for one in plan.changes if one.address not in left))


@dataclass(frozen=True, slots=True)
class _Scene:
    """The cloud, and what is there for it. `changing` are addresses of all that the whole plan changes."""

    cloud: Cloud
    homes: Homes
    hosts: Mapping[str, HostState]
    changing: Set[str]

    def tied(self, held: Set[str]) -> set[str]:
        """`held`, and what cannot come while that is as it is: it takes an address of that, changes a network under it,
        or names it; and what that names cannot go."""
        kept = [home for address in held if _instance(address) for home in self._there(address)]
        taken = {address for home in kept for address in (*home.addresses, *home.floating)}
        found = {*held, *(f"network.{name}" for name in self._under(kept))}
        nets = {address.removeprefix("network.") for address in found if address.startswith("network.")}
        for name, wanted in self.cloud.instances.items():
            asks = {*(nic.address for nic in wanted.nics), wanted.floating}
            if f"instance.{name}" in self.changing and (asks & taken or nets & {nic.network for nic in wanted.nics}):
                found.add(f"instance.{name}")
        found |= self._naming(found)
        return found if found <= held else self.tied(held | found)

    def _naming(self, held: Set[str]) -> set[str]:
        documents = self._documents()
        recorded = {name: group for one in documents for name, group in one.groups.items() if f"group.{name}" in held}
        there = {f"group.{name}" for name in recorded} | {
            f"network.{name}" for one in documents for name in one.networks
        }
        missing = {one for one in held if one.startswith(("group.", "network."))} - there
        found = {f"group.{name}" for name, group in self.cloud.groups.items() if remotes(group) & missing}
        for name, wanted in self.cloud.instances.items():
            if missing & {f"group.{group}" for group in wanted.groups}:
                found.add(f"instance.{name}")
        stay = {f"group.{name}" for name in self.cloud.groups} | {f"network.{name}" for name in self.cloud.networks}
        going = self.changing - stay
        return found | (going & {remote for group in recorded.values() for remote in remotes(group)})

    def _documents(self) -> list[HostDocument]:
        found = [host.document for host in self.hosts.values() if host.reachable and host.document]
        return [one for one in found if not one.released]

    def _under(self, kept: Iterable[Home]) -> Iterator[str]:
        """Networks of the spec that leave no place for one that somebody of `kept` is in as it is."""
        for home in kept:
            document = self.hosts[home.host].document
            there = document.networks if document else {}
            names = [nic.network for nic in home.record.nics] if home.record else []
            for old in (there[name] for name in names if name in there):
                for name, new in self.cloud.networks.items():
                    moved = name == old.name and (new.subnet, new.gateway) != (old.subnet, old.gateway)
                    if moved or (name != old.name and overlaps(new, [old])):
                        yield name

    def _there(self, address: str) -> list[Home]:
        """What is there for an instance that is wanted, and what goes by that name."""
        name = address.removeprefix("instance.")
        found = [home for home in (self.homes.of.get(name),) if home]
        return found + [home for home in self.homes.others if home.name == name and home.known]

    def without(self, held: Set[str], upkept: Set[str]) -> Cloud:
        """The cloud in which what is held is as it is on record, or not there; `upkept` may be set back to that."""
        instances, images = dict(self.cloud.instances), dict(self.cloud.images)
        names: dict[str, bool] = {}
        for address in sorted(one for one in held if _instance(one)):
            wanted = instances.pop(address.removeprefix("instance."), None)
            for home in self._there(address):
                if home.record is None or home.name in instances or home.name in names:
                    raise Inseparable
                images.setdefault(home.record.image_name, _image(home.record))
                instances[home.name] = self._recorded(home.record, wanted)
                names[home.name] = address == f"instance.{home.name}" in upkept and self._can_be_upkept(home)
        cloud = self.cloud
        networks = self._nouns("network", cloud.networks, held, lambda one: one.networks)
        groups = self._nouns("group", cloud.groups, held, lambda one: one.groups)
        keypairs = self._nouns("keypair", cloud.keypairs, held, lambda one: one.keypairs)
        there = {
            *(f"instance.{name}" for one in instances.values() for name in (one.name, one.base)),
            *(f"group.{name}" for name in groups),
            *(f"network.{name}" for name in networks),
        }
        expected = tuple(one for one in cloud.expectations if _ends(one.source, there) and _ends(one.target, there))
        return replace(
            cloud,
            instances=dict(sorted(instances.items())),
            images=images,
            networks=networks,
            groups=groups,
            keypairs=keypairs,
            expectations=expected,
            held=frozenset(names),
            upkept=frozenset(name for name, mended in names.items() if mended),
        )

    def _can_be_upkept(self, home: Home) -> bool:
        """Whether all that its record asks for is where it is, but for how the machine is."""
        if home.record is None or home.machine is None or home.record.host != home.host:
            return False
        host = self.hosts[home.host]
        return home.uuid in host.disks and home.record.image in host.images

    def _recorded(self, record: Instance, wanted: Wanted | None) -> Wanted:
        """It counts among those that must be near it, or apart from it, as it will."""
        if wanted:
            return replace(as_recorded(record, wanted.base), where=wanted.where, index=wanted.index)
        base, index = numbered(record.name)
        counted = index and any(one.base == base for one in self.cloud.instances.values())
        return as_recorded(record, base if counted else record.name)

    def _nouns(
        self,
        kind: str,
        wanted: Mapping[str, Noun],
        held: Set[str],
        recorded: Callable[[HostDocument], Mapping[str, Noun]],
    ) -> dict[str, Noun]:
        """Those held as the hosts have them. Where two hosts differ in one, no cloud can say how it is."""
        found = {name: one for name, one in wanted.items() if f"{kind}.{name}" not in held}
        known = [recorded(one) for one in self._documents()]
        for address in sorted(one for one in held if one.startswith(f"{kind}.")):
            name = address.removeprefix(f"{kind}.")
            there = [one.get(name) for one in known]
            if any(one != there[0] for one in there):
                raise Inseparable
            if there and (old := there[0]) is not None:
                found[name] = old
        return dict(sorted(found.items()))


def _instance(address: str) -> bool:
    return address.startswith("instance.")


def remotes(group: Group) -> set[str]:
    """What else its rules name."""
    return {rule.remote for rule in group.rules if rule.remote.startswith(("group.", "network."))}


def _image(record: Instance) -> Image:
    return Image(name=record.image_name, sha256=record.image, source="")


def _ends(end: str, there: Set[str]) -> bool:
    """Whether an expectation's end is one that there is."""
    return end in there or end.partition(".")[0] not in ("instance", "group", "network")
