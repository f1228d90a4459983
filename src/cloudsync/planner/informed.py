"""Hosts that must know an address anew before the instance that has it runs: order.py asks. Pure.

A guest must not meet rules about whoever had its address before, nor find the doors of its own group still shut. So it
waits for the documents of hosts where instances run already and whose rules are about its address from now on, or are
no more. A host that merely gets a route to it is not waited for: one that fails would stop everybody.
"""

from collections.abc import Iterable, Mapping

from cloudsync.model.document import HostDocument

Steps = Mapping[str, tuple[str, ...]]
"""By address."""


def informed(puts: Iterable[tuple[str, HostDocument | None, HostDocument]]) -> Steps:
    """`puts` are the step, what the host has, and what it gets."""
    found: dict[str, list[str]] = {}
    for step, before, after in puts:
        for address in _news(before, after) if before and before.instances else ():
            found.setdefault(address, []).append(step)
    return {address: tuple(steps) for address, steps in found.items()}


def _news(before: HostDocument, after: HostDocument) -> set[str]:
    """Addresses that came to, or left, members that rules of instances there are about."""
    news: set[str] = set()
    for remote in _named(before) | _named(after):
        old, new = before.members.get(remote, ()), after.members.get(remote, ())
        if old is not new and old != new:
            news.update(set(old) ^ set(new))
    return news


def _named(document: HostDocument) -> set[str]:
    """Remotes with members."""
    used = {name for one in document.instances.values() for name in one.groups}
    rules = (rule for name in used if name in document.groups for rule in document.groups[name].rules)
    return {rule.remote for rule in rules if rule.remote in document.members}
