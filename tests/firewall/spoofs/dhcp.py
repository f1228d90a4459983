"""DHCP: a guest may ask our server, as itself; it may not answer anybody."""

from tests.firewall.scene import FAR, GATEWAY, A, B, Scene, Sent, Spoof
from tests.firewall.spoofs.make import FROM, HOST_CHAIN, INVENTED, SPOOF, Make, udp
from tests.lab import frames
from tests.lab.dhcp import DISCOVER, message
from tests.lab.standins import HOST

EVERYBODY, NOBODY = "255.255.255.255", "0.0.0.0"  # noqa: S104


def discover(mac: str, source: str = NOBODY, target: str = EVERYBODY) -> Make:
    """As a client would ask, from the MAC of a place."""

    def make(on: Scene) -> Sent:
        asked = message(DISCOVER, on.wire.macs.get(mac, mac), on.token[1:5], o12=on.token)
        packet = frames.udp4(source, target, (68, 67), asked)
        return on.framed(packet, source=mac, target=frames.BROADCAST)

    return make


CASES = [
    Spoof("a DHCP server's answer to everybody", udp(A, EVERYBODY, 68, 67, to=frames.BROADCAST), HOST_CHAIN),
    Spoof("a DHCP server's answer to b", udp(A, B, 68, 67), FROM),
    Spoof("a DHCP server's answer to outside", udp(A, FAR, 68, 67), FROM),
    Spoof("a DHCP server's answer to the host", udp(A, GATEWAY, 68, 67), HOST_CHAIN),
    Spoof("a DHCP server's answer as the gateway", udp(GATEWAY, B, 68, 67), SPOOF),
    Spoof("a DHCP server's answer from nobody", udp(NOBODY, EVERYBODY, 68, 67, to=frames.BROADCAST), SPOOF),
    Spoof("a lease for b's MAC", discover("b"), SPOOF),
    Spoof("a lease for an invented MAC", discover(INVENTED), SPOOF),
    Spoof("a lease as b", discover("a", source=B), SPOOF),
    Spoof("a question to the gateway from nobody", udp(NOBODY, GATEWAY, 67, 68), SPOOF, bare=False),
    Spoof("nobody's address with other ports", udp(NOBODY, EVERYBODY, 69, 68, to=frames.BROADCAST), SPOOF),
    Spoof("a question to another server of the host", udp(A, HOST, 67, 68), HOST_CHAIN),
]
