"""What the same tables let through, so that it is the lie that is dropped and not the kind of packet."""

from tests.firewall.scene import FAR, GATEWAY, METADATA, A, B, Scene, Sent
from tests.firewall.spoofs.dhcp import discover
from tests.firewall.spoofs.make import Make, icmp, ip4, tcp, udp
from tests.firewall.spoofs.packets import cut, sctp
from tests.lab import frames
from tests.lab.standins import HOST

ROUTER_ALERT = bytes([148, 4, 0, 0])
UNREACHABLE = (3, 3)


def unheard(sender: str, place: str) -> Make:
    """Somebody spoke to a, and a says that nobody listens there."""

    def make(on: Scene) -> Sent:
        asked = frames.udp4(sender, A, (on.port, 5000), b"hello")
        return on.from_(place, asked) + icmp(*UNREACHABLE, payload=asked, target=sender)(on)

    return make


def router_outside(on: Scene) -> Sent:
    """b spoke to FAR, and a router on the way says that it cannot."""
    quoted = frames.udp4(HOST, FAR, (on.port, 5000), b"hello")
    error = frames.icmp(11, 0, 0, quoted + on.token)
    opening = on.from_("b", frames.udp4(B, FAR, (on.port, 5000), b"hello"))
    return opening + on.from_("outside", frames.ip4("192.0.2.1", HOST, frames.ICMP, error))


HONEST: list[tuple[str, Make, str]] = [
    ("UDP to a guest", udp(), "b"),
    ("UDP to outside", udp(target=FAR), "outside"),
    ("TCP to a guest", tcp(), "b"),
    ("SCTP to a guest", sctp(frames.INIT, bytes(16), tag=0), "b"),
    ("GRE to a guest", ip4(frames.GRE, bytes(4)), "b"),
    ("a ping of a guest", icmp(8), "b"),
    ("behind a priority tag", udp(tags=((frames.VLAN, 0),)), "b"),
    ("two fragments", cut(A, B, 5000, 16), "b"),
    ("an option that chooses no way", ip4(frames.IGMP, bytes(8), options=ROUTER_ALERT), "b"),
    ("an error about its own talk with a guest", unheard(B, "b"), "b"),
    ("an error about its own talk with outside", unheard(FAR, "outside"), "outside"),
    ("a router's error about b's talk", router_outside, "b"),
    ("a lease", discover("a"), "host"),
    ("a lease once more", udp(target=GATEWAY, port=67, sport=68), "host"),
    ("a name", udp(target=GATEWAY, port=53), "host"),
    ("a name by TCP", tcp(target=GATEWAY, port=53), "host"),
    ("a ping of the gateway", icmp(8, target=GATEWAY), "host"),
    ("metadata", tcp(target=METADATA), "host"),
]
