"""Addresses: what is written is taken, what is used is kept, the rest derives from the instance's name."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network

from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import Network
from cloudsync.planner.nics import Had
from cloudsync.scheduler.homes import Home, Homes


def usable(network: Network, address: str) -> bool:
    """Whether a guest may have it: in the subnet, neither one of its ends nor the gateway's."""
    first, last = _ends(network.subnet)
    return first < int(IPv4Address(address)) < last and address != network.gateway


@lru_cache(maxsize=64)
def _ends(text: str) -> tuple[int, int]:
    subnet = IPv4Network(text)
    return int(subnet[0]), int(subnet[-1])


def allocate(cloud: Cloud, stays: Mapping[str, Sequence[Had | None]], homes: Homes) -> dict[str, tuple[str, ...]]:
    """One address for each NIC of the instances in `stays`, which says what of them is there already."""
    wanted = {name: cloud.instances[name] for name in sorted(stays)}
    found: dict[tuple[str, int], str] = {}
    for name, one in wanted.items():
        found.update({(name, index): nic.address for index, nic in enumerate(one.nics) if nic.address})
    claimed = set(found.values())
    for name, one in wanted.items():
        for index, nic in enumerate(one.nics):
            kept = _kept(stays[name][index], cloud.networks[nic.network])
            if (name, index) not in found and kept and kept not in claimed:
                found[name, index] = kept
                claimed.add(kept)
    held = frozenset(address for home in homes for address in home.addresses)
    lasting = frozenset(address for home in _staying(cloud, homes) for address in home.addresses)
    pools = {name: Pool(network, claimed, held, lasting) for name, network in cloud.networks.items()}
    for name, one in wanted.items():
        for index, nic in enumerate(one.nics):
            if (name, index) not in found:
                found[name, index] = pools[nic.network].derive(cloud.name, name)
    return {name: tuple(found[name, index] for index in range(len(one.nics))) for name, one in wanted.items()}


def _staying(cloud: Cloud, homes: Homes) -> Iterator[Home]:
    """What cannot be asked, and what nothing may touch: neither gives an address up."""
    yield from (home for home in homes if not home.known)
    yield from (home for name, home in homes.of.items() if cloud.rests(cloud.instances[name]))


def _kept(one: Had | None, network: Network) -> str | None:
    """The address that the NIC has now, when its network still gives it out."""
    return one.address if one and usable(network, one.address) else None


class Pool:
    """The free addresses of one network. Those `claimed` in this plan grow; `held` are what exists has now.

    What is about to go gives its address up only when there is no other; what is `lasting` never does.
    """

    def __init__(self, network: Network, claimed: set[str], held: frozenset[str], lasting: frozenset[str]) -> None:
        self._network, self._claimed = network, claimed
        self._avoided = (held, lasting)

    def derive(self, cloud: str, instance: str) -> str:
        """The first free one from an offset that follows from the names, so that everybody derives the same."""
        subnet = IPv4Network(self._network.subnet)
        first, count = int(subnet[0]) + 1, max(0, subnet.num_addresses - 2)
        digest = sha256(f"{cloud}/{instance}/{self._network.name}".encode()).digest()
        offset = int.from_bytes(digest[:8], "big") % max(1, count)
        for avoided in self._avoided:
            for step in range(count):
                address = str(IPv4Address(first + (offset + step) % count))
                if address not in self._claimed and address not in avoided and address != self._network.gateway:
                    self._claimed.add(address)
                    return address
        raise CloudsyncError(
            f"network.{self._network.name} has no address left for instance.{instance}: "
            f"{subnet} has {max(0, count - 1)} besides the gateway's",
            "give the network a larger subnet, or move instances to another network",
        )
