"""What a table's rules are about, whoever wrote them, and one packet of it to try (pure). Asked for `reach --live`."""

import re
from collections.abc import Iterable, Iterator

from cloudsync.agent.firewall.ruleset import Table
from cloudsync.model.resources import WITH_PORTS
from cloudsync.reach.service import ANY, Service, of_packet

_PORT = re.compile(r"(tcp|udp|sctp|dccp|udplite) dport (?:!= )?(\d{1,5})(?:-(\d{1,5}))?")
_TYPE = re.compile(r"icmp type (?:!= )?(\d{1,3})")
_CODE = re.compile(r"icmp code (?:!= )?(\d{1,3})")
_PROTOCOL = re.compile(r"(?:meta l4proto|ip protocol) (?:!= )?(\d{1,3})")
# RFC 3692: for experiments. What lets it pass lets everything pass.
_UNNAMED = "253"


def mentioned(table: Table) -> tuple[Service, ...]:
    """Everything first, then what is named, each once. Elements of sets that are not ours are not looked at."""
    found: dict[Service, None] = {ANY: None}
    for chain in table.chains.values():
        for rule in chain.rules:
            found.update(dict.fromkeys(_named(rule.parts)))
    return tuple(found)


def _named(parts: tuple[str, ...]) -> Iterator[Service]:
    code = next((int(found[1]) for part in parts if (found := _CODE.fullmatch(part))), None)
    for part in parts:
        if port := _PORT.fullmatch(part):
            yield Service(port[1], (int(port[2]), int(port[3] or port[2])))
        elif kind := _TYPE.fullmatch(part):
            yield Service("icmp", None, (int(kind[1]), code))
        elif number := _PROTOCOL.fullmatch(part):
            yield of_packet(int(number[1]), None, None)


def sample(service: Service, known: Iterable[Service]) -> Service:
    """One packet of it; if possible one that nothing narrower among `known` is about."""
    if service.protocol == "any":
        return Service(_UNNAMED)
    if service.protocol == "icmp":
        return Service("icmp", None, _icmp(service, known))
    if service.protocol not in WITH_PORTS:
        return service
    first, last = service.ports or (1, 65535)
    port = first
    for low, high in sorted(one.ports for one in known if one.ports and one != service and service.covers(one)):
        if low <= port <= high:
            port = high + 1
    return Service(service.protocol, (port, port) if port <= last else (first, first))


def _icmp(service: Service, known: Iterable[Service]) -> tuple[int, int]:
    """Type and code."""
    kind, code = service.icmp or (int(_UNNAMED), None)
    if code is not None:
        return kind, code
    taken = {one.icmp[1] for one in known if one.icmp and one.icmp[0] == kind}
    return kind, next((free for free in range(256) if free not in taken), 0)
