"""ARP, tags, and frames that are no IP at all.

Frames with a VLAN number, and of kinds that nobody here speaks, reach no layer that netfilter has hooks in: the kernel
drops them. VLAN number 0 is a priority only, and the rest is read as if there were no tag.
"""

from tests.firewall.scene import GATEWAY, A, B, Scene, Sent, Spoof
from tests.firewall.spoofs.make import ARP, INVENTED, OTHERHOST, SPOOF, UNKNOWN, Make, udp
from tests.lab import frames

REQUEST, REPLY = 1, 2
NOBODY = "00:00:00:00:00:00"
Q, AD = frames.VLAN, frames.PROVIDER_VLAN


def arp(
    operation: int,
    sender: tuple[str, str],
    target: tuple[str, str] = (NOBODY, GATEWAY),
    to: str = frames.BROADCAST,
    mac: str = "a",
    kind: int = frames.ARP,
    tags: tuple[tuple[int, int], ...] = (),
) -> Make:
    """Sender and target as (MAC or place, address)."""

    def make(on: Scene) -> Sent:
        known = on.wire.macs
        ends = [(known.get(one, one), address) for one, address in (sender, target)]
        return on.framed(frames.arp(operation, *ends), kind, source=mac, target=to, tags=tags)

    return make


def alien(kind: int) -> Make:
    return lambda on: on.framed(on.token + bytes(60), kind)


def untagged_inside(tags: tuple[tuple[int, int], ...]) -> Make:
    """Nothing is wrong with it apart from its tags."""
    return udp(A, B, tags=tags)


CASES = [
    Spoof("who has the gateway, asks b", arp(REQUEST, ("a", B)), ARP),
    Spoof("who has the gateway, asks a with b's MAC", arp(REQUEST, ("b", A)), ARP, bare=False),
    Spoof("who has the gateway, asks a with another MAC", arp(REQUEST, (INVENTED, A), mac=INVENTED), ARP, bare=False),
    Spoof("who has the gateway, asks nobody's address", arp(REQUEST, ("a", "192.0.2.200")), ARP),
    Spoof("the gateway is here, to everybody", arp(REQUEST, ("a", GATEWAY), (NOBODY, GATEWAY)), ARP),
    Spoof("the gateway is here, as a reply", arp(REPLY, ("a", GATEWAY), (NOBODY, GATEWAY)), ARP, bare=False),
    Spoof("b is here, to everybody", arp(REQUEST, ("a", B), (NOBODY, B)), ARP),
    Spoof("b is here, told to the host", arp(REPLY, ("a", B), ("host of a", GATEWAY), "host of a"), ARP),
    Spoof("the gateway's own MAC and address", arp(REQUEST, ("host of a", GATEWAY), mac="host of a"), ARP),
    Spoof("a probe with b's MAC", arp(REQUEST, ("b", "0.0.0.0"), mac="b"), ARP, bare=False),  # noqa: S104
    Spoof("ARP with an honest inside from b's MAC", arp(REQUEST, ("a", A), mac="b"), ARP, bare=False),
    Spoof("ARP behind priority tag", arp(REQUEST, ("a", B), tags=((Q, 0),)), ARP),
    Spoof("ARP behind a VLAN tag", arp(REQUEST, ("a", B), tags=((Q, 100),)), "", bare=False),
    Spoof("reverse ARP", arp(3, ("a", B), kind=frames.RARP), UNKNOWN, bare=False),
    Spoof("reverse ARP in ARP's clothes", arp(3, ("a", B)), ARP, bare=False),
    Spoof("a VLAN", untagged_inside(((Q, 100),)), OTHERHOST, bare=False),
    Spoof("a provider's VLAN", untagged_inside(((AD, 100),)), OTHERHOST, bare=False),
    Spoof("a VLAN in a provider's", untagged_inside(((AD, 100), (Q, 200))), UNKNOWN, bare=False),
    Spoof("a VLAN in a VLAN", untagged_inside(((Q, 100), (Q, 100))), UNKNOWN, bare=False),
    Spoof("a VLAN behind a priority tag", untagged_inside(((Q, 0), (Q, 100))), OTHERHOST, bare=False),
    Spoof("a provider's VLAN behind a priority tag", untagged_inside(((Q, 0), (AD, 100))), OTHERHOST, bare=False),
    Spoof("b's address behind a priority tag", udp(B, tags=((Q, 0),)), SPOOF),
    Spoof("b's address behind a provider's priority tag", udp(B, tags=((AD, 0),)), SPOOF),
    Spoof("b's address in a VLAN", udp(B, tags=((Q, 100),)), OTHERHOST, bare=False),
    Spoof("b's MAC behind a priority tag", udp(A, mac="b", tags=((Q, 0),)), SPOOF),
    *(
        Spoof(f"EtherType {kind:#06x}", alien(kind), UNKNOWN, bare=False)
        for kind in (0x8847, 0x8864, 0x88CC, 0x888E, 0x9000)
    ),
    Spoof("an 802.3 frame, by its length", alien(0x0040), "", bare=False),
    Spoof("IP under ARP's number", lambda on: on.framed(frames.udp4(A, B, (1, 2), on.token), frames.ARP), "", False),
]
