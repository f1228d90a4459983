"""The only door to the kernel's table of flows (netlink): which there are, the end of some, and those that come with
a machine from another host.

The conntrack program goes through the whole table for each flow that it deletes, however exactly the flow is named:
cutting a thousand of a hundred thousand would take minutes.
"""

import errno
import os
import socket
from collections.abc import Iterable, Set

from cloudsync.agent.firewall import ctflow, ctnetlink
from cloudsync.agent.firewall.ctnetlink import Entry
from cloudsync.agent.links.message import Refused
from cloudsync.model.flow import Flow
from cloudsync.model.problem import HostError

_NETLINK_NETFILTER = 12
_BUFFER = 1 << 18
_PATIENCE = 10
_AT_ONCE = 64


def entries(of: Set[str] | None = None) -> list[Entry]:
    """IPv4 flows that touch one of these addresses, before or after NAT; all for None. In one pass.

    Raise HostError when the table cannot be read.
    """
    wanted = None if of is None else ctnetlink.packed(of)
    found: list[Entry] = []
    last = False
    try:
        with _netlink() as netlink:
            netlink.send(ctnetlink.listing())
            while not last:
                some, last = ctnetlink.entries(netlink.recv(_BUFFER), wanted)
                found += some
    except OSError as error:
        raise HostError(f"running connections cannot be listed: {_reason(error)}", "run the agent as root") from None
    return found


def flows(own: Set[str]) -> list[Flow]:
    """Established connections that can go with a machine of these addresses to another host. Raise HostError."""
    found: list[Flow] = []
    last = False
    try:
        with _netlink() as netlink:
            netlink.send(ctnetlink.listing())
            while not last:
                some, last = ctflow.flows(netlink.recv(_BUFFER), frozenset(own))
                found += some
    except OSError as error:
        raise HostError(f"running connections cannot be listed: {_reason(error)}", "run the agent as root") from None
    return found


def create(coming: Iterable[Flow]) -> None:
    """Track these connections; one that is tracked already is no error. Raise HostError."""
    waiting = list(coming)
    try:
        with _netlink() as netlink:
            for at in range(0, len(waiting), _AT_ONCE):
                requests = [ctflow.creation(flow, number) for number, flow in enumerate(waiting[at : at + _AT_ONCE])]
                _answered(netlink, requests, errno.EEXIST)
    except OSError as error:
        raise HostError(f"connections cannot be taken over: {_reason(error)}", "run the agent as root") from None


def delete(doomed: Iterable[Entry]) -> None:
    """End these flows; one that has ended by itself is no error."""
    waiting = list(doomed)
    try:
        with _netlink() as netlink:
            for at in range(0, len(waiting), _AT_ONCE):
                _delete(netlink, waiting[at : at + _AT_ONCE])
    except OSError as error:
        raise HostError(f"denied connections cannot be cut: {_reason(error)}", "run the agent as root") from None


def _delete(netlink: socket.socket, some: list[Entry]) -> None:
    _answered(netlink, [ctnetlink.deletion(entry, number) for number, entry in enumerate(some)], errno.ENOENT)


def _answered(netlink: socket.socket, requests: list[bytes], fine: int) -> None:
    """Each is."""
    netlink.send(b"".join(requests))
    answers: list[int] = []
    while len(answers) < len(requests):
        answers += ctnetlink.codes(netlink.recv(_BUFFER))
    for code in answers:
        if code not in (0, fine):
            raise Refused(code, os.strerror(code))


def _netlink() -> socket.socket:
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
    netlink.settimeout(_PATIENCE)
    return netlink


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
