"""What somebody did to a group's chain in the words of the spec: which rule of it was taken away, or what was put in.

Pure; the part asks it of what compare.py found.

Only what says exactly the same is told: the rule found here, compiled, is the one in the kernel.
"""

import re
from collections.abc import Iterator

from cloudsync.agent.firewall import names
from cloudsync.agent.firewall.compare import Difference
from cloudsync.agent.firewall.rules import NUMBERS, nft_rule
from cloudsync.agent.firewall.ruleset import Rule as NftRule
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.resources import WITH_PORTS, Direction, Rule
from cloudsync.model.snapshot import Drift

_DIRECTIONS = {"gi_": Direction.INGRESS, "ge_": Direction.EGRESS}
_PORTS = re.compile(rf"({'|'.join(WITH_PORTS)}) dport ([0-9]+)(?:-([0-9]+))?")
_REMOTE = re.compile(r"ip [sd]addr (\S+)")
_NAMED = {str(number): name for name, number in NUMBERS.items()}


def drift(one: Difference, document: HostDocument) -> Drift:
    """The difference as a host tells it."""
    kind, _, group = one.address.partition(".")
    if one.rule is None or kind != "group" or group not in document.groups:
        return Drift(address=one.address, host=document.host, message=one.message)
    if not one.extra:
        known = (rule for rule in document.groups[group].rules if nft_rule(rule, group, document) == one.rule)
        return Drift(address=one.address, host=document.host, message=one.message, removed=next(known, None))
    return Drift(
        address=one.address, host=document.host, message=one.message, added=_added(one.chain, one.rule, group, document)
    )


def _added(chain: str, found: NftRule, group: str, document: HostDocument) -> Rule | None:
    direction = _DIRECTIONS.get(chain[:3])
    for rule in _guesses(found.parts, direction, document) if direction else ():
        try:
            same = nft_rule(rule, group, document)
        except (HostError, ValueError):
            continue
        if same and _bare(same.parts) == _bare(found.parts):
            return rule
    return None


def _guesses(parts: tuple[str, ...], direction: Direction, document: HostDocument) -> Iterator[Rule]:
    """What it could be; matches may stand in any order."""
    text = " ".join(parts)
    remote = _REMOTE.search(text)
    ports, icmp = _PORTS.search(text), re.search(r"icmp type ([0-9]+)(?: icmp code ([0-9]+))?", text)
    number = re.search(r"meta l4proto ([0-9]+)", text)
    protocol = _NAMED.get(number[1], number[1]) if number else "any"
    for far in _remotes(remote[1] if remote else "", document):
        if ports:
            span = (int(ports[2]), int(ports[3] or ports[2]))
            yield Rule(direction=direction, protocol=ports[1], ports=span, remote=far)
        elif icmp:
            code = int(icmp[2]) if icmp[2] else None
            yield Rule(direction=direction, protocol="icmp", icmp=(int(icmp[1]), code), remote=far)
        else:
            yield Rule(direction=direction, protocol=protocol, remote=far)


def _remotes(written: str, document: HostDocument) -> Iterator[str]:
    if not written:
        yield "any"
    elif written.startswith("@"):
        yield from (name for name in document.members if f"@{names.members(name)}" == written)
    else:
        yield written if "/" in written else f"{written}/32"


def _bare(parts: tuple[str, ...]) -> list[str]:
    """A counter allows nothing."""
    return sorted(part for part in parts if part != "counter")
