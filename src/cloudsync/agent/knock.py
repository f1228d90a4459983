"""Whether a guest's ssh port answers its host: guests.py asks, for whoever waits until a machine is back."""

import asyncio
import socket
from collections.abc import Iterable
from contextlib import suppress

from cloudsync.model.resources import Nic

SSH = 22
_PATIENCE = 2.0
"""Seconds; a guest is on the host itself."""


async def answers(nics: Iterable[Nic]) -> bool:
    """By any of its network cards. Nothing that the guest says is read."""
    return any(await asyncio.gather(*(_answers(nic) for nic in nics)))


async def _answers(nic: Nic) -> bool:
    """By the tap alone: while that is not there, the address may lead to anybody."""
    with suppress(OSError, TimeoutError), socket.socket(socket.AF_INET, socket.SOCK_STREAM) as knocking:
        knocking.setblocking(False)
        knocking.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, nic.tap.encode())
        async with asyncio.timeout(_PATIENCE):
            await asyncio.get_running_loop().sock_connect(knocking, (nic.address, SSH))
        return True
    return False
