"""Whether one Ruleset may deny what another let pass (pure): only then must running flows be looked at."""

from cloudsync.agent.firewall.ruleset import Ruleset, Table


def withdraws(old: Ruleset, new: Ruleset) -> bool:
    """True also when it may only seem so; a rule or an element that went is enough."""
    return any(_shrinks(table, new.tables.get(family, Table())) for family, table in old.tables.items())


def _shrinks(before: Table, after: Table) -> bool:
    for name, chain in before.chains.items():
        kept = {rule.parts for rule in after.chains[name].rules} if name in after.chains else set()
        if any(rule.parts not in kept for rule in chain.rules):
            return True
    return any(
        set(container.elements) - set(after.containers[name].elements)
        if name in after.containers
        else bool(container.elements)
        for name, container in before.containers.items()
    ) or _protects_more(before, after)


def _protects_more(before: Table, after: Table) -> bool:
    """An address that guests may never reach was added."""
    there = before.containers.get("infra4")
    wanted = after.containers.get("infra4")
    return bool(there and wanted and set(wanted.elements) - set(there.elements))
