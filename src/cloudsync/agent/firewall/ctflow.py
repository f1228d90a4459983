"""Tracked connections as Flows, and Flows as requests to track them (pure); conntrack.py sends and receives."""

import struct
from ipaddress import IPv4Address

from cloudsync.agent.links.message import HEADER, attributes, is_last, messages
from cloudsync.model.flow import Flow

TCP, UDP = 6, 17
_NEW = 0x100
_REQUEST, _ACK, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x200, 0x400
_FAMILY = struct.pack("=BBH", 2, 0, 0)
_BODY = HEADER.size + len(_FAMILY)
_NESTED = 0x8000
_ORIGINAL, _REPLY, _STATUS, _PROTOINFO, _NAT_SOURCE, _TIMEOUT, _NAT_TARGET = 1, 2, 3, 4, 6, 7, 13
_IP, _PROTOCOL = 1, 2
_SOURCE, _TARGET = 1, 2
_NUMBER, _SOURCE_PORT, _TARGET_PORT = 1, 2, 3
_TCP_STATE, _TCP_FLAGS, _TCP_REPLY_FLAGS = 1, 4, 5
_ESTABLISHED = 3
_LAST_PORT = 65535
_LIBERAL = b"\x08\x08"
"""Nobody here has seen the sequence numbers so far: they are not judged."""
_SEEN_BOTH_WAYS = 0x2 | 0x4 | 0x8
_SECONDS = {TCP: 432_000, UDP: 120}
"""The kernel's own for connections that have been answered."""


def flows(data: bytes, own: frozenset[str]) -> tuple[list[Flow], bool]:
    """Of what was received: the connections that can go with a machine of these addresses; and whether that was the
    last. Raise Refused."""
    found: list[Flow] = []
    for kind, begin, end in messages(data):
        if is_last(data, kind, begin):
            return found, True
        flow = _flow(dict(attributes(data[begin + _BODY : end]))) if kind == _NEW else None
        if flow is not None and _goes_along(flow, own):
            found.append(flow)
    return found, False


def fits(flow: Flow) -> bool:
    """Whether it can be tracked, whoever sent it."""
    addresses = (flow.source, flow.target, flow.reply_source, flow.reply_target)
    try:
        known = all(str(IPv4Address(address)) == address for address in addresses)
    except ValueError:
        return False
    ports = (*flow.ports, *flow.reply_ports)
    return known and flow.protocol in _SECONDS and all(0 <= port <= _LAST_PORT for port in ports)


def creation(flow: Flow, number: int) -> bytes:
    """The request to track one; `number` comes back in the answer. The answer's ends are made by translation."""
    turned = (flow.target, flow.source, (flow.ports[1], flow.ports[0]))
    body = _tuple(_ORIGINAL, flow.protocol, flow.source, flow.target, flow.ports) + _tuple(
        _REPLY, flow.protocol, *turned
    )
    body += _number(_STATUS, _SEEN_BOTH_WAYS) + _number(_TIMEOUT, _SECONDS[flow.protocol])
    if flow.protocol == TCP:
        flags = _attribute(_TCP_FLAGS, _LIBERAL) + _attribute(_TCP_REPLY_FLAGS, _LIBERAL)
        body += _nest(_PROTOINFO, _nest(1, _attribute(_TCP_STATE, bytes([_ESTABLISHED])) + flags))
    answering = (flow.reply_source, flow.reply_ports[0])
    if answering != (flow.target, flow.ports[1]):
        body += _translation(_NAT_TARGET, *answering)
    answered = (flow.reply_target, flow.reply_ports[1])
    if answered != (flow.source, flow.ports[0]):
        body += _translation(_NAT_SOURCE, *answered)
    flags_of = _REQUEST | _ACK | _CREATE | _EXCLUSIVE
    return HEADER.pack(_BODY + len(body), _NEW, flags_of, number, 0) + _FAMILY + body


def _goes_along(flow: Flow, own: frozenset[str]) -> bool:
    """Not what leaves by the host's own address, which stays where it is."""
    return flow.reply_source in own or (flow.source in own and flow.reply_target in own)


def _flow(parts: dict[int, bytes]) -> Flow | None:
    """None for what is no connection of two ports that has been answered."""
    first, reply = (_ends(parts.get(kind, b"")) for kind in (_ORIGINAL, _REPLY))
    status = int.from_bytes(parts.get(_STATUS, b""), "big")
    if first is None or reply is None or status & _SEEN_BOTH_WAYS != _SEEN_BOTH_WAYS:
        return None
    if first[0] == TCP:
        state = dict(attributes(dict(attributes(parts.get(_PROTOINFO, b""))).get(1, b""))).get(_TCP_STATE)
        if state != bytes([_ESTABLISHED]):
            return None
    return Flow(
        protocol=first[0],
        source=first[1],
        target=first[2],
        ports=first[3],
        reply_source=reply[1],
        reply_target=reply[2],
        reply_ports=reply[3],
    )


def _ends(body: bytes) -> tuple[int, str, str, tuple[int, int]] | None:
    parts = dict(attributes(body))
    ip, protocol = dict(attributes(parts.get(_IP, b""))), dict(attributes(parts.get(_PROTOCOL, b"")))
    source, target = ip.get(_SOURCE, b""), ip.get(_TARGET, b"")
    if len(source) != 4 or len(target) != 4 or protocol.get(_NUMBER) not in (bytes([TCP]), bytes([UDP])):
        return None
    ports = [int.from_bytes(protocol.get(kind, b""), "big") for kind in (_SOURCE_PORT, _TARGET_PORT)]
    return protocol[_NUMBER][0], str(IPv4Address(source)), str(IPv4Address(target)), (ports[0], ports[1])


def _tuple(kind: int, protocol: int, source: str, target: str, ports: tuple[int, int]) -> bytes:
    ends = _attribute(_SOURCE, IPv4Address(source).packed) + _attribute(_TARGET, IPv4Address(target).packed)
    how = _attribute(_NUMBER, bytes([protocol])) + _port(_SOURCE_PORT, ports[0]) + _port(_TARGET_PORT, ports[1])
    return _nest(kind, _nest(_IP, ends) + _nest(_PROTOCOL, how))


def _translation(kind: int, address: str, port: int) -> bytes:
    packed = IPv4Address(address).packed
    ports = _nest(3, _port(1, port) + _port(2, port))
    return _nest(kind, _attribute(1, packed) + _attribute(2, packed) + ports)


def _port(kind: int, port: int) -> bytes:
    return _attribute(kind, port.to_bytes(2, "big"))


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, value.to_bytes(4, "big"))


def _nest(kind: int, content: bytes) -> bytes:
    return _attribute(kind | _NESTED, content)


def _attribute(kind: int, content: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(content), kind) + content + bytes(-len(content) % 4)
