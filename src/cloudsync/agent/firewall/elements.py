"""What sets and maps of ours hold, listed by raw netlink: nft takes three times as long to read and print them.

Called by nft.py, which has nft list everything where something is not known here.
"""

import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, summarize_address_range
from itertools import chain, starmap

from cloudsync.agent.firewall.ruleset import TABLE, Container
from cloudsync.agent.links.message import HEADER, attributes, is_last, messages

_FAMILIES = {"inet": 1, "arp": 3}
_GET = (10 << 8) | 13  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETSETELEM
_DUMP = 0x301
_BODY = HEADER.size + 4
_BUFFER = 1 << 18
_TABLE, _SET, _ELEMENTS = 1, 2, 3
_KEY, _DATA, _FLAGS = 1, 2, 3
_VALUE, _VERDICT = 1, 2
_CODE, _CHAIN = 1, 2
_END = b"\0\0\0\1"
_VERDICTS = {-3: "jump", -4: "goto"}
_LENGTHS = {"ipv4_addr": 4, "ether_addr": 6, "ifname": 16}
# An element of which there is an IPv4 address to say, and nothing else.
_PLAIN = struct.Struct("=12x4s")
_LEAD = struct.pack("=HHHHHH", 16, 1, 12, 1, 8, 1)


Netlink = socket.socket


class Unknown(ValueError):
    """Something that no set of ours has."""


def filled(family: str, empty: Mapping[str, Container], netlink: Netlink) -> dict[str, Container]:
    """The same with their elements, one after the other. Raise OSError or Unknown."""
    return {name: replace(one, elements=_listed(family, name, one, netlink)) for name, one in empty.items()}


def _listed(family: str, name: str, container: Container, netlink: Netlink) -> dict[str, str]:
    if container.extras or container.flags not in ((), ("interval",)) or not _LENGTHS.keys() >= set(container.key):
        return _nothing(family, name, container, netlink)
    blobs = list(_blobs(family, name, netlink))
    if container.flags:
        return _intervals(container, blobs)
    if container.key == ("ipv4_addr",) and not container.value:
        return dict.fromkeys(chain.from_iterable(map(_addresses, blobs)), "")
    return {
        _key(container.key, held): _data(container.value, held.get(_DATA)) for blob in blobs for held in _each(blob)
    }


def _nothing(family: str, name: str, container: Container, netlink: Netlink) -> dict[str, str]:
    """Of another form, but empty."""
    if any(_blobs(family, name, netlink)):
        raise Unknown(f"{container.kind} {name}")
    return {}


def _blobs(family: str, name: str, netlink: Netlink) -> Iterator[bytes]:
    """Attributes of some elements, one after the other."""
    asked = struct.pack("=BBH", _FAMILIES[family], 0, 0) + _string(_TABLE, TABLE) + _string(_SET, name)
    netlink.sendto(HEADER.pack(HEADER.size + len(asked), _GET, _DUMP, 1, 0) + asked, (0, 0))
    last = False
    while not last:
        data = netlink.recv(_BUFFER)
        for kind, begin, end in messages(data):
            last = is_last(data, kind, begin)
            if not last:
                yield from (held for what, held in attributes(data[begin + _BODY : end]) if what == _ELEMENTS)


def _string(kind: int, text: str) -> bytes:
    content = text.encode() + b"\0"
    return struct.pack("=HH", 4 + len(content), kind) + content + bytes(-len(content) % 4)


def _addresses(blob: bytes) -> Iterator[str]:
    count, rest = divmod(len(blob), _PLAIN.size)
    if not rest and all(blob[at :: _PLAIN.size].count(byte) == count for at, byte in enumerate(_LEAD)):
        return starmap(socket.inet_ntoa, _PLAIN.iter_unpack(blob))
    return (_key(("ipv4_addr",), held) for held in _each(blob))


def _each(blob: bytes) -> Iterator[dict[int, bytes]]:
    return (dict(attributes(held)) for _, held in attributes(blob))


def _key(kinds: tuple[str, ...], held: Mapping[int, bytes]) -> str:
    """The key alone: what else somebody put on an element changes nothing."""
    if _KEY not in held:
        return "*"
    raw, shown, at = dict(attributes(held[_KEY])).get(_VALUE, b""), [], 0
    for kind in kinds:
        length = _LENGTHS[kind]
        shown.append(_shown(kind, raw[at : at + length]))
        at += (length + 3) & ~3 if len(kinds) > 1 else length
    if at != len(raw):
        raise Unknown(raw.hex())
    return " . ".join(shown)


def _shown(kind: str, raw: bytes) -> str:
    if kind == "ipv4_addr":
        return socket.inet_ntoa(raw)
    return raw.hex(":") if kind == "ether_addr" else raw.rstrip(b"\0").decode()


def _data(kind: str, data: bytes | None) -> str:
    if not kind or data is None:
        return ""
    held = dict(attributes(data))
    if kind == "verdict":
        verdict = dict(attributes(held.get(_VERDICT, b"")))
        code = int.from_bytes(verdict.get(_CODE, b""), "big", signed=True)
        if code not in _VERDICTS:
            raise Unknown(f"verdict {code}")
        return f"{_VERDICTS[code]} {verdict[_CHAIN].rstrip(bytes(1)).decode()}"
    if kind != "ipv4_addr":
        raise Unknown(kind)
    return socket.inet_ntoa(held.get(_VALUE, b""))


def _intervals(container: Container, blobs: list[bytes]) -> dict[str, str]:
    """The kernel holds where each begins, and, marked so, the address behind it."""
    if container.key != ("ipv4_addr",) or container.value:
        raise Unknown(container.kind)
    marks = [(_key(container.key, held), held.get(_FLAGS, b"")) for blob in blobs for held in _each(blob)]
    points = sorted((int(IPv4Address(key)), flags != _END) for key, flags in marks)
    found: dict[str, str] = {}
    begin: int | None = None
    for at, begins in (*points, (1 << 32, False)):
        if begins == (begin is not None):
            if begins or (at < 1 << 32 and at):
                raise Unknown("interval")
            continue
        if begin is not None:
            found[_interval(begin, at - 1)] = ""
        begin = at if begins else None
    return found


def _interval(first: int, last: int) -> str:
    whole, *more = summarize_address_range(IPv4Address(first), IPv4Address(last))
    if more:
        return f"{IPv4Address(first)}-{IPv4Address(last)}"
    return str(whole.network_address) if whole.prefixlen == 32 else str(whole)
