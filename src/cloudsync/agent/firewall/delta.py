"""Two Rulesets -> the nft script that turns the one into the other in one transaction, losing no packet (pure).

Never deletes and makes anew what is in use: the old rules run until the commit ends, with the elements already gone.
Elements only travel where they differ, for the same reason.
"""

from collections.abc import Iterator, Mapping

from cloudsync.agent.firewall import render
from cloudsync.agent.firewall.ruleset import FAMILIES, TABLE, Base, Chain, Rule, Ruleset, Table
from cloudsync.model.dataclass import dataclass


def delta(old: Ruleset, new: Ruleset, rewrite: bool = False) -> str:
    """Empty when nothing differs. `rewrite` writes every rule anew, for when the smaller script was refused."""
    lines: list[str] = []
    for family in FAMILIES:
        before, after = old.tables.get(family), new.tables.get(family)
        # The kernel does not take new chains together with a table's flag, and no packet misses one that is off.
        if before is not None and (after is None or before.flagged):
            lines.append(f"delete table {family} {TABLE}")
            before = None
        if after is None:
            continue
        if before is None:
            lines += render.whole_table(family, after)
        elif before != after or rewrite:
            lines += _lines(_Change.between(family, before, after, rewrite))
    return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class _Change:
    """One family's difference. `recast` and `rehooked` are names whose type or hook nft cannot change: they are made
    anew, and then all rules are written again, since rules hold on to what they name."""

    family: str
    before: Table
    after: Table
    recast: frozenset[str]
    rehooked: frozenset[str]
    rewrite: bool
    written: Mapping[str, tuple[Rule, ...]]
    """Chains of `after` with the rules that are to be put at their ends, those of `emptied` once these are empty."""
    emptied: frozenset[str]

    @classmethod
    def between(cls, family: str, before: Table, after: Table, rewrite: bool) -> "_Change":
        recast = frozenset(
            name
            for name, container in before.containers.items()
            if name in after.containers and container.shape != after.containers[name].shape
        )
        rehooked = frozenset(
            name
            for name, chain in before.chains.items()
            if after.chains.get(name, chain) is not chain and _hook(chain.base) != _hook(after.chains[name].base)
        )
        whole = rewrite or bool(recast or rehooked)
        there = {} if whole else before.chains
        changed = ((name, chain) for name, chain in after.chains.items() if there.get(name) is not chain)
        more = {name: _more(there.get(name, Chain()), chain) for name, chain in changed}
        written = {name: after.chains[name].rules if some is None else some for name, some in more.items()}
        emptied = frozenset(name for name, some in more.items() if some is None)
        return cls(family, before, after, recast, rehooked, whole, written, emptied)


def _more(old: Chain, new: Chain) -> tuple[Rule, ...] | None:
    """The rules to put behind those of `old`; None where all must be written anew. Freeing a chain's old rules is what
    a change of it takes longest for."""
    there = len(old.rules)
    return new.rules[there:] if new.rules[:there] == old.rules else None


def _hook(base: Base | None) -> tuple[str, str, int] | None:
    """What of a base chain is fixed for its life; its policy is not."""
    return (base.kind, base.hook, base.priority) if base else None


def _lines(change: _Change) -> Iterator[str]:
    before, after, family = change.before, change.after, change.family
    new = [name for name in after.containers if name not in before.containers]
    yield from (render.add_container(family, name, after.containers[name]) for name in new)
    yield from _emptied(change)
    yield from (render.delete(family, "chain", name) for name in sorted(change.rehooked))
    for name in sorted(change.recast):
        yield render.delete(family, before.containers[name].kind, name)
        yield render.add_container(family, name, after.containers[name])
    for name, chain in after.chains.items():
        old = before.chains.get(name)
        if old is None or old.base != chain.base:
            yield render.add_chain(family, name, chain)
    for name, rules in change.written.items():
        yield from render.add_rules(family, name, rules)
    yield from _more_elements(change)
    yield from _leftovers(change)


def _emptied(change: _Change) -> Iterator[str]:
    """Rules first: they hold on to sets and chains. Then elements, which hold on to chains."""
    if change.rewrite:
        yield f"flush table {change.family} {TABLE}"
    else:
        for name in change.before.chains:
            if name in change.emptied or name not in change.after.chains:
                yield render.flush(change.family, "chain", name)
    for name, container in change.before.containers.items():
        if name in change.recast or name not in change.after.containers:
            yield render.flush(change.family, container.kind, name)
            continue
        wanted = change.after.containers[name].elements
        if wanted is container.elements:
            continue
        missed = (key for key, value in container.elements.items() if wanted.get(key) != value)
        yield from render.delete_elements(change.family, name, missed)


def _more_elements(change: _Change) -> Iterator[str]:
    for name, container in change.after.containers.items():
        old = change.before.containers.get(name)
        there = {} if old is None or name in change.recast else old.elements
        if there is container.elements:
            continue
        added = (
            {key: value for key, value in container.elements.items() if there.get(key) != value}
            if there
            else container.elements
        )
        yield from render.add_elements(change.family, name, added)


def _leftovers(change: _Change) -> Iterator[str]:
    """What nothing names any more: chains, then sets, then objects that are not ours."""
    for name in change.before.chains:
        if name not in change.after.chains:
            yield render.delete(change.family, "chain", name)
    for name, container in change.before.containers.items():
        if name not in change.after.containers:
            yield render.delete(change.family, container.kind, name)
    for kind, name in sorted(change.before.others):
        yield render.delete(change.family, kind, name)
