"""The door to the kernel's packet log: a netlink socket on which one NFLOG group of this network namespace arrives."""

import errno
import os
import socket

from cloudsync.agent.denials.message import refusal, requests
from cloudsync.model.problem import HostError

_NETFILTER = 12
_SOL_NETLINK, _NO_ENOBUFS = 270, 5
_BUFFER = 256 << 10
"""Bytes that may wait; the kernel throws away what comes when it is full."""
_LONGEST = 64 << 10
_PATIENCE = 2.0


def opened(group: int) -> socket.socket:
    """A socket whose datagrams `message.packets` reads. Raise HostError when the kernel refuses."""
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETFILTER)
    try:
        netlink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        netlink.setsockopt(_SOL_NETLINK, _NO_ENOBUFS, 1)
        netlink.settimeout(_PATIENCE)
        netlink.bind((0, 0))
        for request in requests(group):
            _ask(netlink, request)
    except OSError as error:
        netlink.close()
        raise _refused(error.errno, group) from None
    return netlink


def datagram(netlink: socket.socket) -> bytes:
    """The next one; empty when there was none to be had after all. Raise OSError when the socket is broken."""
    try:
        return netlink.recv(_LONGEST)
    except TimeoutError:
        return b""
    except OSError as error:
        if error.errno == errno.ENOBUFS:
            return b""
        raise


def _ask(netlink: socket.socket, request: bytes) -> None:
    """Send it and wait for the kernel's word; packets may come before that."""
    netlink.sendto(request, (0, 0))
    while (answer := refusal(netlink.recv(_LONGEST))) is None:
        continue
    if answer:
        raise OSError(answer, os.strerror(answer))


def _refused(number: int | None, group: int) -> HostError:
    """To root the kernel says EPERM when the group has a reader already."""
    if number == errno.EPERM and os.geteuid() == 0:
        return HostError(
            f"denied packets cannot be read: another program reads NFLOG group {group}",
            "/proc/net/netfilter/nfnetlink_log shows which (port id, mostly a process): end that one",
        )
    reason = os.strerror(number) if number else "the kernel does not answer"
    return HostError(
        f"denied packets cannot be read: {reason}", "the agent must run as root, and the kernel needs nfnetlink_log"
    )
