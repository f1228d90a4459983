"""The plan between two supposed clouds -> what of it Git alone can say. Pure; pipeline.py calls it.

Hosts, addresses and packet sizes that were made up so that something could be planned are taken out, or replaced by
what the spec says of them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.plan import Action, Change, Disruption, Field, Held, Plan
from cloudsync.planner import grounds
from cloudsync.planner.supposed import Choice, Supposed
from cloudsync.spec.words import count

ROOM = "a restart, where it was not started with room for it"
HAS = "no restart, where it has that address already"
_FEW = 3


def told(plan: Plan, base: Cloud, head: Cloud, supposed: Supposed) -> tuple[Change, ...]:
    """Its changes, in the order of addresses."""
    words = _Words(base, head, supposed)
    found = [one for change in plan.changes if (one := words.of(change))]
    # What goes has a change of its own.
    at = {change.address: index for index, change in enumerate(found) if change.action is not Action.DELETE}
    for more in (*words.placements(), *grounds.hosts(base, head)):
        if more.address in at:
            found[at[more.address]] = _joined(found[at[more.address]], more)
        else:
            found.append(more)
    return tuple(sorted(found, key=lambda change: (change.address, change.action.value)))


def held(plan: Plan, base: Cloud, head: Cloud, supposed: Supposed) -> tuple[Held, ...]:
    """What waits, because the spec says that it is not to be touched."""
    if not plan.held:
        return ()
    words = _Words(base, head, supposed)
    return tuple(replace(wait, change=one) for wait in plan.held if (one := words.of(wait.change)))


def _joined(one: Change, more: Change) -> Change:
    known = {field.path for field in one.fields}
    return replace(
        one,
        fields=(*one.fields, *(field for field in more.fields if field.path not in known)),
        reasons=tuple(dict.fromkeys((*one.reasons, *more.reasons))),
        disruption=max(one.disruption, more.disruption),
    )


class _Words:
    def __init__(self, base: Cloud, head: Cloud, supposed: Supposed) -> None:
        self._base, self._head, self._heirs, self._aside = base, head, supposed.heirs, supposed.aside
        self._then, self._now = supposed.choices

    @cached_property
    def _users(self) -> Counter[str]:
        """How many instances are in each group."""
        return Counter(name for wanted in self._head.instances.values() for name in set(wanted.groups))

    def of(self, change: Change) -> Change | None:
        """None of what is only so because of what was made up."""
        kind, _, name = change.address.partition(".")
        change = replace(change, before="")
        if kind == "instance":
            return self._instance(change, name)
        if kind == "host":
            return change if change.action is Action.UPDATE and name in self._head.hosts and change.fields else None
        if kind == "image":
            return replace(change, hosts=())
        hosts = tuple(sorted({*change.hosts, *self._aside} & self._head.hosts.keys())) if change.hosts else ()
        if kind != "group":
            return replace(change, hosts=hosts)
        many = self._users[name]
        return replace(change, hosts=hosts, reasons=(count(many, "instance"),) if many else ())

    def _instance(self, change: Change, name: str) -> Change | None:
        after = self._head.instances.get(name)
        before = self._base.instances.get(self._heirs.get(name, name))
        fields = tuple(one for field in change.fields if (one := self._field(field, before, after)))
        if not fields and change.action is Action.UPDATE:
            return None
        reasons = (*change.reasons, *_unless(change, fields))
        return replace(change, fields=fields, hosts=self._hosts(before, after), reasons=reasons)

    def _hosts(self, before: Wanted | None, after: Wanted | None) -> tuple[str, ...]:
        """Only where there is no choice."""
        found = [self._now.of(after)] if after else []
        found += [self._then.of(before)] if before else []
        alone = [next(iter(fit)) for fit in found if len(fit) == 1]
        return tuple(dict.fromkeys(alone)) if len(alone) == len(found) else ()

    def _field(self, field: Field, before: Wanted | None, after: Wanted | None) -> Field | None:
        if field.path == "host":
            return replace(field, before=_any(self._then, before), after=_any(self._now, after))
        if field.path == "mtu":
            return replace(field, before=_size(field.before), after=_size(field.after))
        if field.path == "zone":
            zones = [self._zone(self._base, self._then, before), self._zone(self._head, self._now, after)]
            return field if None not in zones and zones[0] != zones[1] else None
        if field.path not in ("address", "port_security"):
            return field
        was, now = self._said(field.path, self._base, before), self._said(field.path, self._head, after)
        if was == now:
            return None
        return Field(path=field.path, before=was if field.before is not None else None, after=now)

    def _said(self, path: str, cloud: Cloud, wanted: Wanted | None) -> str | None:
        """What the spec says of its addresses, or of its port_security."""
        if wanted is None:
            return None
        if path == "address":
            return " ".join(nic.address or f"in {cloud.networks[nic.network].subnet}" for nic in wanted.nics)
        found = [nic.network for nic in wanted.nics if not nic.port_security]
        if len(found) in (0, len(wanted.nics)):
            return "off" if found else "on"
        return f"off in {', '.join(found)}"

    def _zone(self, cloud: Cloud, choice: Choice, wanted: Wanted | None) -> str | None:
        """None where that depends on the host."""
        zones = {cloud.hosts[name].zone for name in choice.of(wanted)} if wanted else set()
        return next(iter(zones)) if len(zones) == 1 else None

    def placements(self) -> Iterator[Change]:
        """Instances that may have to move, because their placement says something else now."""
        for name, old in self._heirs.items():
            before, after = self._base.instances[old], self._head.instances[name]
            if before.where == after.where or after.base in self._head.paused:
                continue
            left = self._then.of(before) - self._now.of(after)
            field = Field(path="placement", before=_where(before), after=_where(after))
            certain = not self._then.of(before) & self._now.of(after)
            group = self._head.placement_groups.get(after.where.group or "")
            joins = group is not None and group.strict and group.name != before.where.group
            reasons = [f"it moves if it is on {_listed(left)}"] if left else []
            reasons += [f"it moves if it breaks placement group {after.where.group} where it is"] if joins else []
            yield Change(
                address=f"instance.{name}",
                action=Action.MOVE if certain else Action.UPDATE,
                fields=(field,),
                reasons=() if certain else tuple(reasons),
                hosts=self._hosts(before, after),
                disruption=Disruption.MIGRATE if left or joins else Disruption.NONE,
            )


def _unless(change: Change, fields: tuple[Field, ...]) -> Iterator[str]:
    """What the class depends on, where that is with the host."""
    paths = {field.path: field for field in fields}
    if change.disruption is Disruption.LIVE and ("vcpus" in paths or "memory" in paths):
        yield ROOM
    address = paths.get("address")
    if address and address.before and "in " in address.before and "in " not in (address.after or ""):
        yield HAS


def _size(text: str | None) -> str | None:
    return "less by the tunnel's part" if text and text != "usual" else text


def _any(choice: Choice, wanted: Wanted | None) -> str | None:
    return _listed(choice.of(wanted), "or") if wanted else None


def _listed(names: frozenset[str], word: str = "or") -> str:
    if len(names) > _FEW:
        return f"one of {len(names)} hosts"
    return f" {word} ".join(sorted(names))


def _where(one: Wanted) -> str:
    where = one.where
    parts: Mapping[str, str | None] = {
        "host": where.host,
        "zone": where.zone,
        **{f"label {key}": value for key, value in sorted(where.labels.items())},
        "group": where.group,
    }
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value) or "anywhere"
