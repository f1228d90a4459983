"""The way to the sockets of a host that is another machine: what agent and libvirt are reached by. tunnel.py is one."""

from pathlib import Path
from typing import Protocol

from cloudsync.model.problem import HostError


class Way(Protocol):
    """Calls may come from several threads at once."""

    def socket(self, there: str) -> Path:
        """Where the host's socket `there` is on this machine; HostError when the host cannot be reached."""

    def trouble(self, there: str) -> HostError:
        """Why it does not answer."""
