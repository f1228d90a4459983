"""What a table's rules are about, whoever wrote them, and one packet of it to try (pure). Asked for `reach --live`."""

import re
from collections.abc import Iterable, Iterator

from cloudsync.agent.firewall.ruleset import Table
from cloudsync.model.resources import WITH_PORTS
from cloudsync.reach.service import ANY, Service, of_packet

_PORT = re.compile(r"(tcp|udp|sctp|dccp|udplite) dport (?:!= )?(\d{1,5})(?:-(\d{1,5}))?")
_TYPE = re.compile(r"icmp type (?:!= )?(\d{1,3})")
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


def _named(parts: Iterable[str]) -> Iterator[Service]:
    for part in parts:
        if port := _PORT.fullmatch(part):
            yield Service(port[1], (int(port[2]), int(port[3] or port[2])))
        elif kind := _TYPE.fullmatch(part):
            yield Service("icmp", None, (int(kind[1]), None))
        elif number := _PROTOCOL.fullmatch(part):
            yield of_packet(int(number[1]), None, None)


def sample(service: Service, known: Iterable[Service]) -> Service:
    """One packet of it; if possible one that nothing narrower among `known` is about."""
    if service.protocol == "any":
        return Service(_UNNAMED)
    if service.protocol == "icmp":
        kind, code = service.icmp or (int(_UNNAMED), 0)
        return Service("icmp", None, (kind, code or 0))
    if service.protocol not in WITH_PORTS:
        return service
    first, last = service.ports or (1, 65535)
    port = first
    for low, high in sorted(one.ports for one in known if one.ports and one != service and service.covers(one)):
        if low <= port <= high:
            port = high + 1
    return Service(service.protocol, (port, port) if port <= last else (first, first))
