"""IPv4 headers that mean more than they seem: options, fragments, flags, packets within packets."""

from tests.firewall.scene import FAR, GATEWAY, A, B, C, Scene, Sent, Spoof
from tests.firewall.spoofs.make import FROM, HOST_CHAIN, SPOOF, TO_C, Make, ip4, tcp
from tests.lab import frames
from tests.lab.frames import ACK, FIN, LSRR, PSH, RECORD_ROUTE, RST, SSRR, SYN, URG
from tests.lab.standins import HOST

ODD = "inet not_plain"
HEARTBEAT, SHUTDOWN_COMPLETE = 4, 14


def routed(kind: int, target: str, *addresses: str) -> Make:
    def make(on: Scene) -> Sent:
        segment = frames.udp(A, target, (on.port, 5000), on.token)
        return on.framed(frames.ip4(A, target, frames.UDP, segment, frames.route_option(kind, *addresses)))

    return make


def sctp(chunk: int, body: bytes = b"", target: str = B, tag: int = 7) -> Make:
    """`body` goes before the token."""

    def make(on: Scene) -> Sent:
        return on.framed(frames.ip4(A, target, frames.SCTP, frames.sctp((on.port, 5), tag, chunk, body + on.token)))

    return make


def cut(source: str, target: str, port: int, at: int, protocol: int = frames.UDP) -> Make:
    """A datagram in two, `at` bytes after its IP header."""

    def make(on: Scene) -> Sent:
        build = frames.udp4 if protocol == frames.UDP else frames.tcp4
        whole = build(source, target, (on.port, port), on.token + bytes(40))
        return [one for piece in frames.fragments(whole, at, on.port) for one in on.framed(piece)]

    return make


def overlapping(on: Scene) -> Sent:
    """Port 80 in the first piece, and a second one that would write another header over it."""
    first, _ = frames.fragments(frames.tcp4(A, C, (on.port, 80), on.token + bytes(40)), 32, on.port)
    over = frames.ip4(A, C, frames.TCP, bytes(40), number=on.port, fragment=1)
    return on.framed(first) + on.framed(over)


def into_anothers(on: Scene) -> Sent:
    """The middle of a datagram of b's that has begun and will end without it."""
    whole = frames.udp4(B, FAR, (on.port, 5000), b"b" * 8 + on.token + b"b" * 24)
    pieces = [whole[20:36], whole[36:52], whole[52:]]
    marks = (frames.MORE, frames.MORE | 2, 4)
    first, middle, last = (
        frames.ip4(B, FAR, frames.UDP, piece, number=on.port, fragment=mark)
        for piece, mark in zip(pieces, marks, strict=True)
    )
    return [*on.from_("b", first), *on.framed(middle), *on.from_("b", last)]


CASES = [
    Spoof("loose source route through a guest", routed(LSRR, GATEWAY, B), ODD),
    Spoof("loose source route to outside", routed(LSRR, B, FAR), ODD),
    Spoof("strict source route", routed(SSRR, GATEWAY, B, FAR), ODD),
    Spoof("record route", routed(RECORD_ROUTE, B, *["0.0.0.0"] * 3), ODD),  # noqa: S104
    Spoof("source route to the metadata service", routed(LSRR, GATEWAY, "169.254.169.254"), ODD),
    Spoof("a forbidden port in two fragments", cut(A, C, 81, 16), TO_C),
    Spoof("a forbidden port, ports alone in the first fragment", cut(A, C, 22, 8, frames.TCP), TO_C),
    Spoof("fragments under b's address", cut(B, FAR, 5000, 16), SPOOF, times=2),
    Spoof("a fragment for b's datagram", into_anothers, SPOOF),
    Spoof("fragments that overlap", overlapping, "kernel ReasmFails"),
    *(
        Spoof(f"TCP that opens nothing: {name}", tcp(flags=flags), FROM)
        for name, flags in {
            "ACK": ACK,
            "SYN ACK": SYN | ACK,
            "data": ACK | PSH,
            "RST": RST,
            "RST ACK": RST | ACK,
            "FIN": FIN,
            "FIN ACK": FIN | ACK,
            "no flags": 0,
            "all flags": FIN | SYN | RST | PSH | ACK | URG,
            "SYN FIN": SYN | FIN,
            "SYN RST": SYN | RST,
        }.items()
    ),
    Spoof("SCTP that keeps alive what is dead", sctp(HEARTBEAT, bytes(4)), FROM),
    Spoof("SCTP data out of nowhere", sctp(frames.DATA, bytes(12)), FROM),
    Spoof("a cookie that nobody gave", sctp(frames.COOKIE_ECHO), FROM),
    Spoof("SCTP that ends nothing", sctp(SHUTDOWN_COMPLETE), FROM),
    Spoof("SCTP to a guest without a rule for it", sctp(frames.INIT, bytes(16), target=C, tag=0), TO_C),
    Spoof("SCTP to the gateway", sctp(frames.INIT, bytes(16), target=GATEWAY, tag=0), HOST_CHAIN),
    *(
        Spoof(f"{name} to {where}", ip4(number, inner, target=target), chain)
        for name, number, inner in (
            ("IP in IP", frames.IPIP, frames.udp4(B, FAR, (1, 2), b"")),
            ("IPv6 in IP", frames.IP6_IN_IP4, frames.ip6("2001:db8::1", "2001:db8::2", 59, b"")),
            ("GRE", frames.GRE, b"\0\0\x08\0" + frames.udp4(B, FAR, (1, 2), b"")),
        )
        for target, where, chain in (
            (C, "a guest without a rule for it", TO_C),
            (GATEWAY, "the gateway", HOST_CHAIN),
            (HOST, "the uplink's address", HOST_CHAIN),
        )
    ),
]
