"""The answer of `reach` for scripts, as schemas/reach.schema.json describes it."""

from typing import Any

from cloudsync.model.cited import Cited
from cloudsync.reach.ask import Answer, Pair
from cloudsync.reach.service import Service

FORMAT_VERSION = 1


def document(answer: Answer) -> dict[str, Any]:
    """Plain values, ready for json.dumps."""
    return {"format_version": FORMAT_VERSION, "pairs": [_pair(pair) for pair in answer.pairs]}


def _pair(pair: Pair) -> dict[str, Any]:
    found: dict[str, Any] = {
        "from": pair.source,
        "to": pair.target,
        "protocol": pair.service.protocol,
        "port": port(pair.service),
        "verdict": pair.verdict.value,
        "rule": rule(pair.rule),
        "because": pair.because,
        "path": list(pair.path),
    }
    return found if pair.spec is None else {**found, "spec": pair.spec.value}


def port(service: Service) -> int | str | None:
    """A number for one port; `8000-8010`; for ICMP its `8` or `3.4`; None for all of the protocol."""
    _, slash, rest = str(service).partition("/")
    if service.ports and service.ports[0] == service.ports[1]:
        return service.ports[0]
    return rest if slash else None


def rule(one: Cited | None) -> dict[str, Any] | None:
    """Where it stands; with `packets` when the kernel was asked."""
    if one is None:
        return None
    found: dict[str, Any] = {"address": one.address, "file": one.file, "line": one.line}
    return found if one.packets is None else {**found, "packets": one.packets}
