"""What names, numbers and texts of a document may look like: they end up in rules, file names and dnsmasq's files."""

import re
from collections import deque
from collections.abc import Collection
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError, ip_address
from itertools import repeat
from socket import AF_INET, inet_pton

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
KEYPAIR = re.compile(r"[A-Za-z0-9_.@-]([A-Za-z0-9_.@ -]{0,253}[A-Za-z0-9_.@-])?")
DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
TAP = re.compile(r"cs-[0-9a-f]{12}")
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHA256 = re.compile(r"[0-9a-f]{64}")
INTERFACE = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.@-]{1,15}")
_SHOWN = 40


def shown(value: str) -> str:
    """A name as a message may carry it: short, and without what steers a terminal."""
    text = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
    return ascii(text)


def plain(text: str) -> bool:
    """One line without control characters."""
    return text.isprintable()


def is_address(text: str) -> bool:
    """Whether it is an IPv4 address in canonical form: the C library takes no other."""
    try:
        inet_pton(AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def no_addresses(texts: Collection[str]) -> list[str]:
    """Those that are none, of tens of thousands."""
    try:
        deque(map(inet_pton, repeat(AF_INET), texts), maxlen=0)
    except (OSError, ValueError):
        return [text for text in texts if not is_address(text)]
    return []


def address(text: str) -> IPv4Address | None:
    """None unless it is an IPv4 address in canonical form."""
    return IPv4Address(text) if is_address(text) else None


def resolver(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address that dnsmasq may forward to: canonical, and without a zone."""
    if "%" in text:
        return False
    try:
        return str(ip_address(text)) == text
    except ValueError:
        return False


@lru_cache(256)
def network(text: str) -> IPv4Network | None:
    """None unless it is an IPv4 CIDR in canonical form without host bits."""
    try:
        found = IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None
    return found if str(found) == text else None
