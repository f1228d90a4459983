"""Denied packets for people and for scripts (schemas/denied.schema.json)."""

from collections.abc import Sequence
from typing import Any

from cloudsync.model.cloud import Cloud
from cloudsync.model.denial import Denial
from cloudsync.model.resources import Direction, Instance
from cloudsync.render.table import table
from cloudsync.spec.words import printable

FORMAT_VERSION = 1
_HEAD = ("LAST", "TIMES", "SIDE", "PACKET", "DENIED BY")


def document(cloud: Cloud, instance: Instance, denials: Sequence[Denial]) -> dict[str, Any]:
    """Plain values, ready for json.dumps."""
    return {
        "format_version": FORMAT_VERSION,
        "cloud": cloud.name,
        "instance": instance.name,
        "denied": [row(denial) for denial in denials],
    }


def row(denial: Denial) -> dict[str, Any]:
    """One denial, in `denied` and as a line of `--follow`."""
    return {
        "first": denial.first,
        "last": denial.last,
        "count": denial.count,
        "side": denial.side.value,
        "protocol": denial.protocol,
        "from": {"address": denial.source, "port": denial.source_port},
        "to": {"address": denial.target, "port": denial.target_port},
        "icmp": {"type": denial.icmp[0], "code": denial.icmp[1]} if denial.icmp else None,
        "groups": list(denial.groups),
    }


def text(instance: Instance, denials: Sequence[Denial]) -> str:
    """A table, the latest last."""
    if not denials:
        told = f"nothing that instance.{instance.name} sent or was sent has been denied by its groups"
        return f"{told} since its host's agent started"
    return table(_HEAD, [_cells(denial) for denial in denials])


def line(denial: Denial) -> str:
    """One denial as it comes."""
    return "  ".join(_cells(denial))


def _cells(denial: Denial) -> tuple[str, ...]:
    what = f"{denial.protocol} {_end(denial.source, denial.source_port)} → {_end(denial.target, denial.target_port)}"
    if denial.icmp:
        what += f" type {denial.icmp[0]} code {denial.icmp[1]}"
    cells = (denial.last, f"{denial.count}", denial.side.value, what, _whose(denial))
    return tuple(printable(cell) for cell in cells)


def _end(address: str, port: int | None) -> str:
    return address if port is None else f"{address}:{port}"


def _whose(denial: Denial) -> str:
    """Groups only allow: what is denied is what none of them allows."""
    way = "from there" if denial.side is Direction.INGRESS else "to there"
    names = ", ".join(f"group.{name}" for name in denial.groups)
    return f"no rule {way} in {names}" if names else "no group"
