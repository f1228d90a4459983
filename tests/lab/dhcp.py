"""A DHCP client and a DNS client of a few lines, for guests that are namespaces."""

import os
import socket
import struct
from dataclasses import dataclass

from tests.effort import PATIENCE
from tests.lab.namespace import Namespace

DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
_COOKIE = b"\x63\x82\x53\x63"
_WANTED = bytes([1, 3, 6, 12, 15, 121, 26])
_SO_BINDTODEVICE = 25


@dataclass(frozen=True)
class Answer:
    """`options` by number, as bytes."""

    kind: int
    address: str
    options: dict[int, bytes]

    def addresses(self, option: int) -> list[str]:
        data = self.options.get(option, b"")
        return [socket.inet_ntoa(data[at : at + 4]) for at in range(0, len(data), 4)]

    def routes(self) -> list[tuple[str, str]]:
        """Option 121 as (CIDR, gateway)."""
        data, found = self.options.get(121, b""), []
        while data:
            length, size = data[0], (data[0] + 7) // 8
            target = socket.inet_ntoa(data[1 : 1 + size].ljust(4, b"\0"))
            found.append((f"{target}/{length}", socket.inet_ntoa(data[1 + size : 5 + size])))
            data = data[5 + size :]
        return found


def opened(namespace: Namespace, device: str = "eth0") -> socket.socket:
    """A client's socket on a device that has no address yet."""
    found = namespace.socket(socket.SOCK_DGRAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    found.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, device.encode() + b"\0")
    found.bind(("", 68))
    return found


def message(kind: int, mac: str, transaction: bytes, **options: bytes) -> bytes:
    """A request that asks for a broadcast answer; `options` are named o12 and the like."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    fixed = struct.pack("!BBBB4sHH16x16s", 1, 1, 6, 0, transaction, 0, 0x8000, hardware)
    more = b"".join(bytes([int(name[1:]), len(data)]) + data for name, data in options.items())
    asked = bytes([53, 1, kind, 55, len(_WANTED)]) + _WANTED
    return fixed + bytes(192) + _COOKIE + asked + more + b"\xff"


def parse(data: bytes) -> Answer:
    options: dict[int, bytes] = {}
    rest = data[240:]
    while rest and rest[0] != 255:
        if rest[0] == 0:
            rest = rest[1:]
            continue
        options[rest[0]] = rest[2 : 2 + rest[1]]
        rest = rest[2 + rest[1] :]
    return Answer(options[53][0], socket.inet_ntoa(data[16:20]), options)


def lease(namespace: Namespace, mac: str, patience: float = PATIENCE, device: str = "eth0", **options: bytes) -> Answer:
    """The whole exchange; TimeoutError when nobody answers."""
    with opened(namespace, device) as client:
        client.settimeout(patience)
        transaction = os.urandom(4)
        offer = ask(client, message(DISCOVER, mac, transaction, **options))
        assert offer.kind == OFFER
        wanted = {"o50": socket.inet_aton(offer.address), "o54": offer.options[54]}
        return ask(client, message(REQUEST, mac, transaction, **wanted, **options))


def served(namespace: Namespace, mac: str) -> str:
    """The address that it gets now; empty when nobody answers soon."""
    try:
        return lease(namespace, mac, patience=0.5).address
    except TimeoutError:
        return ""


def ask(client: socket.socket, request: bytes) -> Answer:
    client.sendto(request, ("255.255.255.255", 67))
    while True:
        data = client.recv(2048)
        if data[4:8] == request[4:8]:
            return parse(data)


A, PTR = 1, 12
NXDOMAIN, REFUSED = 3, 5


def resolve(
    namespace: Namespace, server: str, name: str, kind: int = A, tcp: bool = False, patience: float = PATIENCE
) -> tuple[int, set[str]]:
    """(response code, answers): addresses for A, names for PTR."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    query = os.urandom(2) + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, kind, 1)
    with namespace.socket(socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as client:
        client.settimeout(patience)
        client.connect((server, 53))
        client.sendall(struct.pack("!H", len(query)) + query if tcp else query)
        data = client.recv(4096)[2:] if tcp else client.recv(4096)
    count = struct.unpack_from("!H", data, 6)[0]
    return data[3] & 15, _answers(data, len(query), count)


def reverse(address: str) -> str:
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


def _answers(data: bytes, at: int, count: int) -> set[str]:
    found = set()
    for _ in range(count):
        _, at = _name(data, at)
        kind, _, _, length = struct.unpack_from("!HHIH", data, at)
        at += 10
        if kind == A:
            found.add(socket.inet_ntoa(data[at : at + 4]))
        elif kind == PTR:
            found.add(_name(data, at)[0])
        at += length
    return found


def _name(data: bytes, at: int) -> tuple[str, int]:
    labels: list[str] = []
    while data[at]:
        if data[at] >= 0xC0:
            rest = _name(data, struct.unpack_from("!H", data, at)[0] & 0x3FFF)[0]
            return ".".join([*labels, rest]), at + 2
        labels.append(data[at + 1 : at + 1 + data[at]].decode())
        at += 1 + data[at]
    return ".".join(labels), at + 1
