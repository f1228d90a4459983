"""Which NIC that an instance has is which wanted one: what stays keeps its address, its tap and its MAC.

A guest knows its NICs by their MACs: when one goes or the order changes, the others must stay what they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from itertools import count

from cloudsync.model.cloud import Cloud, WantedNic
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import TUNNEL_OVERHEAD
from cloudsync.model.resources import Network, Nic
from cloudsync.model.snapshot import HostState
from cloudsync.planner.identity import tap_and_mac
from cloudsync.scheduler.homes import Home

_PLENTY = 64
"""More NICs than a machine can have."""
_ETHERNET = 1500
"""What fits into one packet where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Had:
    """A NIC as it is now. `network` is empty when no network has the address, `tap` when it is none of ours."""

    network: str
    address: str
    tap: str
    mac: str


def match(wanted: Sequence[WantedNic], home: Home | None, networks: Mapping[str, Network]) -> tuple[Had | None, ...]:
    """For each wanted NIC the one that it is: the one with its written address, else the first left in its network."""
    left = list(_had(home, networks)) if home else []
    found: dict[int, Had] = {}
    for by_address in (True, False):
        for index, nic in enumerate(wanted):
            same = (one for one in left if one.network == nic.network)
            one = next((one for one in same if not by_address or one.address == nic.address), None)
            if one and index not in found:
                found[index] = one
                left.remove(one)
    return tuple(found.get(index) for index in range(len(wanted)))


def _had(home: Home, networks: Mapping[str, Network]) -> Iterator[Had]:
    """A machine without a record has no word of networks, and of what was lost only the addresses are known."""
    if home.record:
        yield from (Had(nic.network, nic.address, nic.tap, nic.mac) for nic in home.record.nics)
    elif not home.known:
        for address in home.addresses:
            within = (name for name, one in networks.items() if _inside(address, one))
            yield Had(next(within, ""), address, "", "")
    elif home.machine:
        ours = dict(tap_and_mac(home.uuid, index) for index in range(_PLENTY))
        for tap, _, address in home.machine.nics:
            within = (name for name, one in networks.items() if _inside(address, one))
            yield Had(next(within, ""), address, tap if tap in ours else "", ours.get(tap, ""))


def _inside(address: str, network: Network) -> bool:
    try:
        return IPv4Address(address) in IPv4Network(network.subnet)
    except ValueError:
        return False


def room(cloud: Cloud, host: HostState) -> int | None:
    """What fits into one packet of an instance there; None where it shares its host's with nobody."""
    if cloud.fabric != "vxlan" or len(cloud.hosts) < 2:
        return None
    return host.mtus.get(cloud.hosts[host.name].address or "", _ETHERNET) - TUNNEL_OVERHEAD


def decided(
    uuid: str,
    wanted: Sequence[WantedNic],
    addresses: Sequence[str],
    stays: Sequence[Had | None],
    macs: set[str],
    mtu: int | None,
) -> tuple[Nic, ...]:
    """With tap and MAC: what `stays`, or the first that is free. `macs` are all in use, and grow."""
    taps = {one.tap for one in stays if one}
    fresh = (tap_and_mac(uuid, index, macs) for index in count())
    free = ((tap, mac) for tap, mac in fresh if tap not in taps)
    found = []
    for nic, address, one in zip(wanted, addresses, stays, strict=True):
        tap, mac = (one.tap, one.mac) if one and one.tap else next(free)
        macs.add(mac)
        found.append(
            Nic(network=nic.network, address=address, mac=mac, tap=tap, port_security=nic.port_security, mtu=mtu)
        )
    return tuple(found)
