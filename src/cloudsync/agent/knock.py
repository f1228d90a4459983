"""Whether a guest's ssh port answers its host: guests.py asks, for whoever waits until a machine is back."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

SSH = 22
_PATIENCE = 2.0
"""Seconds; a guest is on the host itself."""


async def answers(addresses: Iterable[str]) -> bool:
    """By any of its addresses. Nothing that the guest says is read."""
    return any(await asyncio.gather(*(_answers(address) for address in addresses)))


async def _answers(address: str) -> bool:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(address, SSH)
        writer.close()
        return True
    return False
