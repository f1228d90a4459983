"""Names from the spec into names that nft takes, and checks of what a document says about a port.

The compiler and dnsmasq's renderer call it: nothing of a document reaches nft or a configuration file unchecked.
"""

import re
from functools import lru_cache
from hashlib import sha256
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from cloudsync.agent.words import is_address
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Nic

TAPS = "cs-*"
_TAP = re.compile(r"cs-[0-9a-f]{12}")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9]+")
_NOT_SHOWN = re.compile(r"[^A-Za-z0-9 ._:/@-]")
_HINT = "The document was not made by this version of cloudsync: use the same version here and on the host."


@lru_cache(4096)
def identifier(name: str) -> str:
    """A legal nft name of at most 33 characters for any `name`; different names get different ones."""
    plain = _NOT_PLAIN.sub("_", name).strip("_")[:24]
    return f"{plain}_{sha256(name.encode()).hexdigest()[:8]}" if plain else sha256(name.encode()).hexdigest()[:8]


def members(remote: str) -> str:
    """The set that holds the addresses behind `group.X` or `instance.X`."""
    kind, _, name = remote.partition(".")
    return f"{kind[0]}_{identifier(name)}4"


def comment(text: str) -> str:
    """`text` cut and cleaned to what nft takes between quotes."""
    return _NOT_SHOWN.sub("?", text)[:120]


def port(nic: Nic, owner: str) -> Nic:
    """`nic` if its tap, MAC and address are what they must be; HostError naming `owner` otherwise."""
    if not _TAP.fullmatch(nic.tap):
        raise HostError(f"{owner}: {nic.tap!r} is not the name of a tap of ours", _HINT)
    if not _MAC.fullmatch(nic.mac):
        raise HostError(f"{owner}: {nic.mac!r} is not a MAC address", _HINT)
    address(nic.address, owner)
    return nic


def address(text: str, owner: str) -> str:
    """`text` if it is one IPv4 address in its usual form; HostError naming `owner` otherwise."""
    if not is_address(text):
        raise HostError(f"{owner}: {text!r} is not an IPv4 address", _HINT)
    return text


def subnet(text: str, owner: str) -> IPv4Network:
    """`text` as an IPv4 network; HostError naming `owner` otherwise."""
    try:
        return IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise HostError(f"{owner}: {text!r} is not an IPv4 network", _HINT) from None
