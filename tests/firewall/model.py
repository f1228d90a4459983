"""The one place where tests of real packets ask the pure model."""

from collections.abc import Callable

from cloudsync.agent.firewall.policy import Flow, Policy
from cloudsync.model.document import HostDocument

Law = Callable[[str, str, int, int | None, tuple[int, int] | None], bool]
"""Source, target, protocol, the target's port, ICMP type and code: whether such a connection may begin."""


def model(document: HostDocument) -> Law:
    policy = Policy(document)
    return lambda source, target, protocol, port, icmp: policy.permits(Flow(source, target, protocol, port, icmp))
