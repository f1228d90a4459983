"""Addresses: what is used is kept, what is written is taken, the rest derives from the instance's name."""

from collections.abc import Iterable
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network

from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import Network


class Pool:
    """The addresses of one network while a plan is made."""

    def __init__(self, network: Network, taken: Iterable[str]) -> None:
        self._name = network.name
        self._subnet = IPv4Network(network.subnet)
        inside = (IPv4Address(text) for text in taken)
        self._taken = {int(address) for address in inside if address in self._subnet}
        self._reserved = {int(self._subnet[0]), int(self._subnet[-1]), int(IPv4Address(network.gateway))}

    def holds(self, address: str) -> bool:
        """Whether a guest may have it: in the subnet, not one of its ends, not the gateway's."""
        value = IPv4Address(address)
        return value in self._subnet and int(value) not in self._reserved

    def take(self, address: str) -> str:
        """Mark one as used."""
        self._taken.add(int(IPv4Address(address)))
        return address

    def derive(self, cloud: str, instance: str) -> str:
        """The first free address from an offset that follows from the names, so that everybody derives the same."""
        first = int(self._subnet.network_address) + 1
        count = self._subnet.num_addresses - 2
        digest = sha256(f"{cloud}/{instance}/{self._name}".encode()).digest()
        offset = int.from_bytes(digest[:8], "big") % count
        for step in range(count):
            value = first + (offset + step) % count
            if value not in self._taken and value not in self._reserved:
                return self.take(str(IPv4Address(value)))
        raise CloudsyncError(
            f"network.{self._name} ({self._subnet}) has no free address for instance.{instance}",
            "give it a larger subnet, or remove instances first",
        )
