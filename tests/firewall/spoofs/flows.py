"""Other people's connections: errors about them from somebody who has no part in them."""

from tests.firewall.scene import FAR, A, B, C, Scene, Sent, Spoof
from tests.firewall.spoofs.make import FROM, HOST_CHAIN, STRAYS, TO_C, Make, icmp
from tests.lab import frames
from tests.lab.standins import HOST

REDIRECT = (5, 1)
"""Where addresses are translated the kernel drops it by itself: the two would begin to talk past the translation."""
KINDS = {
    "host unreachable": (3, 1),
    "fragmentation needed": (3, 4),
    "source quench": (4, 0),
    "redirect": REDIRECT,
    "time exceeded": (11, 0),
    "parameter problem": (12, 0),
}


def about_incoming(kind: tuple[int, int], told: str) -> Make:
    """FAR talks with b, and a tells one of them that something is wrong."""

    def make(on: Scene) -> Sent:
        ports = (on.port, 5000)
        opening = on.from_("outside", frames.udp4(FAR, B, ports, b"hello"))
        quoted = frames.udp4(B, FAR, ports[::-1], b"world") if told == B else frames.udp4(FAR, B, ports, b"hello")
        return opening + icmp(*kind, payload=quoted, target=told)(on)

    return make


def about_outgoing(kind: tuple[int, int]) -> Make:
    """b talks with FAR through the host's address, and a tells that address that something is wrong."""

    def make(on: Scene) -> Sent:
        opening = on.from_("b", frames.udp4(B, FAR, (on.port, 5000), b"hello"))
        quoted = frames.udp4(HOST, FAR, (on.port, 5000), b"hello")
        return opening + icmp(*kind, payload=quoted, target=HOST)(on)

    return make


def about_nothing(kind: tuple[int, int], target: str) -> Make:
    def make(on: Scene) -> Sent:
        return icmp(*kind, payload=frames.udp4(target, FAR, (on.port, 7), b"hello"), target=target)(on)

    return make


def redirect_of_its_own(on: Scene) -> Sent:
    """a has a part in it, and yet is no router."""
    opening = on.from_("b", frames.udp4(B, A, (on.port, 5000), b"hello"))
    return opening + icmp(5, 1, payload=frames.udp4(B, A, (on.port, 5000), b"hello"))(on)


CASES = [
    *(Spoof(f"{name}, to b about its talk", about_incoming(kind, B), STRAYS) for name, kind in KINDS.items()),
    *(Spoof(f"{name}, to outside about b", about_incoming(kind, FAR), STRAYS) for name, kind in KINDS.items()),
    *(
        Spoof(f"{name}, to b through the host's address", about_outgoing(kind), "" if kind == REDIRECT else STRAYS)
        for name, kind in KINDS.items()
    ),
    *(Spoof(f"{name} about nothing", about_nothing(kind, B), FROM) for name, kind in KINDS.items()),
    *(
        Spoof(f"{name} about nothing, to the host", about_nothing(kind, HOST), HOST_CHAIN)
        for name, kind in KINDS.items()
    ),
    Spoof("a redirect about its own talk", redirect_of_its_own, STRAYS),
    *(Spoof(f"ICMP {kind} that nobody asked for", icmp(kind), FROM) for kind in (0, 14, 16, 18, 40)),
    Spoof("a ping of a guest without a rule for it", icmp(8, target=C), TO_C),
]
