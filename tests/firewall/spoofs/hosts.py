"""The host and its metadata service, by every address and under every name."""

from tests.firewall.scene import FAR, GATEWAY, METADATA, A, B, C, Spoof
from tests.firewall.spoofs.make import FROM, HOST_CHAIN, SPOOF, Make, icmp, ip4, tcp, udp
from tests.lab import frames
from tests.lab.frames import ACK, RST, SYN
from tests.lab.standins import HOST, METADATA_PORT, OUTSIDE


def outside(source: str, target: str, port: int) -> Make:
    """From the other side of the uplink."""
    return lambda on: on.from_("outside", frames.tcp4(source, target, (on.port, port), on.token))


CASES = [
    *(
        Spoof(f"port {port} of {where} by {name}", make(A, target, port), HOST_CHAIN)
        for target, where in ((GATEWAY, "the gateway"), (HOST, "the uplink's address"))
        for name, make in (("TCP", tcp), ("UDP", udp))
        for port in (22, 68, 123, 5355, METADATA_PORT, 16509)
    ),
    Spoof("names from the uplink's address", udp(A, HOST, 53), HOST_CHAIN),
    Spoof("a ping of the uplink's address", icmp(8, target=HOST), HOST_CHAIN),
    Spoof("the time from the gateway, by ICMP", icmp(13, target=GATEWAY, payload=bytes(12)), HOST_CHAIN),
    Spoof("everybody on the cable", udp(A, "255.255.255.255", 5000, to=frames.BROADCAST), HOST_CHAIN),
    Spoof("all nodes of IPv4", udp(A, "224.0.0.1", 5000, to="01:00:5e:00:00:01"), HOST_CHAIN),
    Spoof("a multicast group", udp(A, "239.1.1.1", 5000, to="01:00:5e:01:01:01"), "", bare=False),
    Spoof("the host's loopback", tcp(A, "127.0.0.1", METADATA_PORT), HOST_CHAIN),
    Spoof("another address of the loopback", udp(A, "127.8.8.8", 53), HOST_CHAIN),
    Spoof("the metadata service as b", tcp(B, METADATA), SPOOF),
    Spoof("the metadata service as outside", tcp(FAR, METADATA), SPOOF),
    Spoof("the metadata service as the gateway", tcp(GATEWAY, METADATA), SPOOF),
    Spoof("into b's talk with the metadata service", tcp(B, METADATA, flags=ACK), SPOOF),
    Spoof("an end to b's talk with the metadata service", tcp(B, METADATA, flags=RST), SPOOF),
    Spoof("the metadata service's answer to b", tcp(METADATA, B, flags=SYN | ACK), SPOOF),
    Spoof("the metadata service by UDP as b", udp(B, METADATA, 80), SPOOF),
    Spoof("the metadata service by UDP", udp(A, METADATA, 80), FROM),
    Spoof("another port of the metadata service", tcp(A, METADATA, 443), FROM),
    Spoof("the metadata service's own port", tcp(A, METADATA, METADATA_PORT), FROM),
    Spoof("a ping of the metadata service", icmp(8, target=METADATA), FROM),
    Spoof("another link-local address", udp(A, "169.254.1.1"), FROM),
    Spoof("GRE to the metadata service", ip4(frames.GRE, bytes(4), target=METADATA), FROM),
    Spoof("the metadata service's port from outside", outside(OUTSIDE, HOST, METADATA_PORT), "inet input"),
    Spoof("the same as b", outside(B, HOST, METADATA_PORT), "inet prerouting_raw"),
    Spoof("the same by the gateway's address", outside(FAR, GATEWAY, METADATA_PORT), "inet input"),
    Spoof("b's address from outside", outside(B, C, 80), "inet prerouting_raw"),
]
