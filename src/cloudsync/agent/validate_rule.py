"""One security group rule into what is wrong with it. Pure; called by validate.py."""

from collections.abc import Iterator, Mapping

from cloudsync.agent import words
from cloudsync.agent.words import shown
from cloudsync.model.resources import WITH_PORTS, Network, Rule

_NAMED = ("any", "icmp", *WITH_PORTS)


def rule_problems(rule: Rule, networks: Mapping[str, Network]) -> Iterator[str]:
    """What would not compile, or not to what was meant."""
    if rule.protocol not in _NAMED and not (rule.protocol.isascii() and _number(rule.protocol)):
        yield f"protocol {shown(rule.protocol)} is none of {', '.join(_NAMED)} or a number from 0 to 255"
    if rule.ports is not None:
        first, last = rule.ports
        if rule.protocol not in WITH_PORTS:
            yield f"ports need {', '.join(WITH_PORTS)}, not {shown(rule.protocol)}"
        if not 1 <= first <= last <= 65535:
            yield f"ports {first}-{last} are not a range within 1-65535"
    if rule.icmp is not None:
        kind, code = rule.icmp
        if rule.protocol != "icmp":
            yield f"an ICMP type needs protocol icmp, not {shown(rule.protocol)}"
        if not (0 <= kind <= 255 and (code is None or 0 <= code <= 255)):
            yield f"ICMP type {kind} code {code} are outside 0-255"
    if not _remote(rule.remote, networks):
        yield f"remote {shown(rule.remote)} is not any, a CIDR, group.NAME, instance.NAME or a network of the document"


def _number(text: str) -> bool:
    return text.isdigit() and str(int(text[:4])) == text and int(text) <= 255


def _remote(remote: str, networks: Mapping[str, Network]) -> bool:
    if remote == "any":
        return True
    kind, dot, name = remote.partition(".")
    if dot and kind in ("group", "instance"):
        return words.NAME.fullmatch(name) is not None
    if dot and kind == "network":
        return name in networks
    return words.network(remote) is not None
