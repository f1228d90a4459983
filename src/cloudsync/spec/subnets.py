"""Addresses and subnets as text into values, or None when they are neither. Pure; the checks and `expand` use it."""

from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network


@lru_cache(maxsize=4096)
def subnet(text: str) -> IPv4Network | None:
    """The IPv4 network that `text` is in CIDR form; host bits are cut off."""
    if "/" not in text:
        return None
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=65536)
def address(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text)
    except AddressValueError:
        return None


def any_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def is_ipv6(text: str) -> bool:
    """Whether it is an IPv6 address or network."""
    try:
        return isinstance(ip_network(text, strict=False), IPv6Network)
    except ValueError:
        return False


def gateway(network: IPv4Network, written: str) -> IPv4Address | None:
    """The written gateway, else the first address; None when what is written is no address."""
    return address(written) if written else network.network_address + 1


def room(network: IPv4Network) -> int:
    """How many instances fit: all but the network's own, the gateway's and the broadcast address."""
    return max(network.num_addresses - 3, 0)
