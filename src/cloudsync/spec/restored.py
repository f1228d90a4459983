"""A group that is to allow something else: entries of the spec that go, and new ones. Pure; `plan --absorb` asks."""

from collections.abc import Iterable
from typing import Any

from cloudsync.model.resources import Direction, Rule
from cloudsync.spec.change import Add, Drop, Edit
from cloudsync.spec.normal import allowed, normal


def restored(name: str, written: Iterable[tuple[str, Rule]], target: tuple[Rule, ...]) -> tuple[Edit, ...]:
    """`written` are the group's rules beside the keys of their places, `target` what it is to allow. An entry goes when
    nothing of it is to be allowed; whether that says the target exactly is for the caller to see."""
    entries: dict[str, list[Rule]] = {}
    for key, rule in written:
        entries.setdefault(key, []).append(rule)
    gone = {key for key, rules in entries.items() if not any(allowed(target, rule) for rule in rules)}
    kept = normal(rule for key, rules in entries.items() if key not in gone for rule in rules)
    drops = sorted(
        (key.rpartition("/")[0].rpartition("/")[2], int(key.rpartition("/")[2])) for key in gone if _placed(key)
    )
    edits: list[Edit] = [Drop(("security_groups", name, direction), index) for direction, index in reversed(drops)]
    new = [rule for rule in target if not allowed(kept, rule)]
    return (*edits, *(Add(("security_groups", name, rule.direction.value), entry(rule)) for rule in new))


def entry(rule: Rule) -> dict[str, Any]:
    """As the spec has it."""
    found: dict[str, Any] = {}
    if rule.protocol != "any":
        found["protocol"] = int(rule.protocol) if rule.protocol.isdigit() else rule.protocol
    if rule.ports:
        first, last = rule.ports
        found["ports"] = first if first == last else f"{first}-{last}"
    if rule.icmp:
        found["type"] = rule.icmp[0]
        found |= {} if rule.icmp[1] is None else {"code": rule.icmp[1]}
    return found | {"from" if rule.direction is Direction.INGRESS else "to": rule.remote}


def _placed(key: str) -> bool:
    """An implied rule stands nowhere."""
    return key.rpartition("/")[2].isdigit()
