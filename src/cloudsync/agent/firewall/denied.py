"""How the kernel tells the agent of packets that a port's groups denied: the expressions that the compiler writes, and
the mark by which `denials` knows a packet's port.

Through netfilter's own log (NFLOG), because the kernel's text log hears nothing from other network namespaces.
"""

import re
from typing import NamedTuple

from cloudsync.model.resources import Direction

GROUP = 50565
"""The number of our log among NFLOG's 65536; low ones are what other programs use."""
_LIMIT = "limit rate 5/second burst 5 packets"
_CHAIN = re.compile(r"p([ie])_(cs-[0-9a-f]{12})")
_SIDES = {"i": Direction.INGRESS, "e": Direction.EGRESS}


class Port(NamedTuple):
    """A tap, and which of its sides denied."""

    tap: str
    side: Direction


def expressions(chain: str) -> tuple[str, str]:
    """The log rule of the port's chain: seldom enough that a flood costs nobody anything."""
    return _LIMIT, f'log prefix "{chain}" group {GROUP}'


def port(prefix: str) -> Port | None:
    """The port that a log prefix names; None when it is not one of ours."""
    found = _CHAIN.fullmatch(prefix)
    return Port(found[2], _SIDES[found[1]]) if found else None
