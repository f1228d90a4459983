"""Short ways to say what `a` sends; the token is in every payload."""

from collections.abc import Callable, Sequence

from tests.firewall.scene import DOCUMENT, A, B, Scene, Sent
from tests.lab import frames

Make = Callable[[Scene], Sent]
SPOOF, HOST_CHAIN, FROM, ARP = "inet antispoof", "inet guest_to_host", "inet forward_from", "arp guest"
STRAYS, TO_C = "inet strays", f"inet pi_{DOCUMENT.instances['c'].nics[0].tap}"
OTHERHOST, UNKNOWN = "kernel otherhost", "kernel dropped"
INVENTED = "52:54:00:99:99:99"


def udp(
    source: str = A,
    target: str = B,
    port: int = 5000,
    sport: int = 0,
    mac: str = "a",
    to: str = "host of a",
    tags: Sequence[tuple[int, int]] = (),
) -> Make:
    """`mac` and `to` are the frame's source and target."""
    return lambda on: on.framed(
        frames.udp4(source, target, (sport or on.port, port), on.token), source=mac, target=to, tags=tags
    )


def tcp(source: str = A, target: str = B, port: int = 80, flags: int = frames.SYN) -> Make:
    return lambda on: on.framed(frames.tcp4(source, target, (on.port, port), on.token, flags))


def ip4(protocol: int, payload: bytes = b"", source: str = A, target: str = B, options: bytes = b"") -> Make:
    """`payload` goes before the token."""
    return lambda on: on.framed(frames.ip4(source, target, protocol, payload + on.token, options))


def icmp(kind: int, code: int = 0, rest: int = 0, payload: bytes = b"", source: str = A, target: str = B) -> Make:
    return lambda on: on.framed(
        frames.ip4(source, target, frames.ICMP, frames.icmp(kind, code, rest, payload + on.token))
    )
