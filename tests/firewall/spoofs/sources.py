"""Packets under somebody else's address or MAC."""

from tests.firewall.scene import FAR, GATEWAY, METADATA, A, B, C, Spoof
from tests.firewall.spoofs.make import INVENTED, SPOOF, icmp, ip4, tcp, udp
from tests.lab import frames
from tests.lab.standins import HOST, OUTSIDE

MARTIANS = ["0.0.0.0", "255.255.255.255", "224.0.0.1"]  # noqa: S104
"""What no kernel takes for a sender, whatever its settings."""
STRANGERS = [B, GATEWAY, HOST, FAR, OUTSIDE, METADATA, "10.20.255.255", "127.0.0.1", "240.0.0.1"]

CASES = [
    *(
        Spoof(f"from {source} to {where}", udp(source, target), SPOOF, bare=source in STRANGERS)
        for source in STRANGERS + MARTIANS
        for target, where in ((B, "a guest"), (FAR, "outside"))
        if source != target
    ),
    Spoof("b's address for the gateway's names", udp(B, GATEWAY, 53), SPOOF),
    Spoof("b's address for a guest of fewer rights", tcp(B, C), SPOOF),
    Spoof("b's address in a ping of the gateway", icmp(8, source=B, target=GATEWAY), SPOOF),
    Spoof("b's address without ports", ip4(frames.GRE, bytes(4), source=B, target=FAR), SPOOF),
    *(
        Spoof(f"the MAC of {mac} to {where}", udp(A, target, mac=mac), SPOOF)
        for mac in ("b", "host of a", INVENTED, "03:00:00:00:00:01")
        for target, where in ((B, "a guest"), (GATEWAY, "the host"))
    ),
    Spoof("b's MAC and address", udp(B, FAR, mac="b"), SPOOF),
    Spoof("a frame to everybody", udp(B, GATEWAY, 53, to=frames.BROADCAST), SPOOF),
]
