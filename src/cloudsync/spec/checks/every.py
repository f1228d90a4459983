"""All checks, in the order of the sections."""

from collections.abc import Callable, Iterator

from cloudsync.spec.checks import (
    addresses,
    claims,
    disks,
    floating,
    groups,
    hosts,
    images,
    instances,
    networks,
    placement,
    references,
)
from cloudsync.spec.draft import Draft
from cloudsync.spec.finding import Finding

CHECKS: tuple[Callable[[Draft], Iterator[Finding]], ...] = (
    *hosts.CHECKS,
    *images.CHECKS,
    *networks.CHECKS,
    *groups.CHECKS,
    *placement.CHECKS,
    *references.CHECKS,
    *instances.CHECKS,
    *disks.CHECKS,
    *addresses.CHECKS,
    *floating.CHECKS,
    *claims.CHECKS,
)


def check(draft: Draft) -> list[Finding]:
    """Everything that is wrong for a reason of its own."""
    return [finding for one in CHECKS for finding in one(draft) if finding.needs not in draft.unsure]
