"""A range of ports in the slices that rules tell apart, and slices of which the same is said as one again.

`live` asks about ranges so: a yes for a range is one for each of its ports.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from cloudsync.reach.ruled import Ruled
from cloudsync.reach.service import Service
from cloudsync.reach.verdict import Verdict
from cloudsync.spec.normal import EVERY_PORT


def slices(asked: Service, mentioned: Iterable[Service]) -> tuple[Service, ...]:
    """All of `asked`, in the order of its ports; `mentioned` are parts of it. No part begins or ends inside a slice."""
    first, last = asked.ports or EVERY_PORT
    parts = [one.ports for one in mentioned if one.ports]
    cuts = sorted({first, last + 1, *(low for low, _ in parts), *(high + 1 for _, high in parts)})
    return tuple(Service(asked.protocol, (low, high - 1)) for low, high in pairwise(cuts))


def joined(found: Iterable[Ruled]) -> list[Ruled]:
    """Neighbours that the same rule decides alike are one; what is denied comes last."""
    told: list[Ruled] = []
    for one in found:
        if told and _same(told[-1], one):
            told[-1] = replace(told[-1], service=_both(told[-1].service, one.service))
        else:
            told.append(one)
    return sorted(told, key=lambda one: one.verdict is Verdict.DENIED)


def _same(one: Ruled, other: Ruled) -> bool:
    return (one.verdict, one.spec, one.stop, one.path) == (other.verdict, other.spec, other.stop, other.path)


def _both(one: Service, other: Service) -> Service:
    return Service(one.protocol, ((one.ports or EVERY_PORT)[0], (other.ports or EVERY_PORT)[1]))
