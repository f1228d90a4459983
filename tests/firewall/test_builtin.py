"""What no group gives and no group takes: a guest without any group is served by its host, and no rule lets IPv6, a
guest's DHCP or link-local addresses through."""

import socket
import struct
from collections.abc import Iterator

import pytest

from tests.effort import PATIENCE
from tests.firewall.documents import DEFAULT, NETWORK, document, egress, group, ingress, instance
from tests.lab import dhcp, frames, packets
from tests.lab.metadata import ask
from tests.lab.standins import Guest, Lab, standins

pytestmark = pytest.mark.real

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
GROUPS = [
    DEFAULT,
    group("all", ingress(), egress()),
    group("strict", egress("192.0.2.0/24", "tcp", (443, 443))),
    group("mutual", ingress("group.mutual"), egress("group.mutual")),
    group("lonely", ingress("group.empty"), egress("group.empty")),
]
DOCUMENT = document(
    [
        instance("none", "10.20.0.5", ()),
        instance("strict", "10.20.0.6", ("strict",)),
        instance("all", "10.20.0.7", ("all",)),
        instance("open", "10.20.0.8", (), port_security=False),
        instance("one", "10.20.0.11", ("mutual",)),
        instance("other", "10.20.0.12", ("mutual", "lonely")),
        instance("lonely", "10.20.0.13", ("lonely",)),
    ],
    [*GROUPS, group("empty")],
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with standins(DOCUMENT, more=("tests.lab.metadata:part",)) as made:
        made.apply(DOCUMENT)
        yield made


def counts(lab: Lab, chain: str) -> list[int]:
    return [int(one["packets"]) for one in lab.counters() if one["chain"] == chain]


@pytest.mark.parametrize("name", ["none", "strict", "all", "open", "lonely"])
def test_no_group_takes_what_the_host_serves(lab: Lab, name: str) -> None:
    guest = lab.guests[name]
    assert dhcp.lease(guest.namespace, guest.nic.mac).address == guest.address
    for tcp in (False, True):
        assert dhcp.resolve(guest.namespace, NETWORK.gateway, "all", tcp=tcp) == (0, {"10.20.0.7"})
    assert ask(guest, "/latest/meta-data/hostname") == f"{name}.demo.internal"
    assert ask(guest, "/latest/meta-data/security-groups") == "\n".join(guest.instance.groups)
    assert ping(guest)


def ping(guest: Guest) -> bool:
    with guest.namespace.socket(socket.SOCK_RAW, protocol=socket.IPPROTO_ICMP) as client:
        client.settimeout(PATIENCE)
        client.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FE - 7, 1, 7), (NETWORK.gateway, 0))
        return client.recv(100)[20] == 0


@pytest.mark.parametrize("kind", [TCP, UDP])
def test_without_a_group_nothing_goes_in_or_out(lab: Lab, kind: int) -> None:
    none, everything = lab.guests["none"], lab.guests["all"]
    assert not lab.reaches(none, everything, 80, kind)
    assert not lab.reaches(none, lab.outside, 80, kind)
    assert not lab.reaches(everything, none, 80, kind)
    assert not lab.reaches(lab.outside, none, 80, kind)


def test_self_is_the_members_and_an_empty_group_is_nobody(lab: Lab) -> None:
    one, other, lonely = (lab.guests[name] for name in ("one", "other", "lonely"))
    assert lab.reaches(one, other, 80)
    assert lab.reaches(other, one, 80)
    assert not lab.reaches(lonely, other, 80)
    assert not lab.reaches(other, lonely, 80)
    assert not lab.reaches(lab.guests["all"], one, 80)


@pytest.mark.parametrize("name", ["all", "open"])
def test_link_local_goes_nowhere_but_to_the_metadata_service(lab: Lab, name: str) -> None:
    """Where the host is itself a cloud machine, its own metadata answers at that address on the uplink."""
    guest = lab.guests[name]
    for kind, address, port in ((TCP, "169.254.169.254", 443), (UDP, "169.254.169.254", 80), (TCP, "169.254.1.1", 80)):
        before = counts(lab, "inet forward_from")
        with guest.namespace.socket(kind) as client:
            client.setblocking(False)
            client.connect_ex((address, port))
            if kind == UDP:
                client.send(b"?")
        assert sum(counts(lab, "inet forward_from")) == sum(before) + 1


@pytest.mark.parametrize("name", ["none", "open"])
def test_a_question_to_a_host_that_it_has_left_is_ended_at_once(lab: Lab, name: str) -> None:
    """Only the host before had the connection; silence would keep cloud-init waiting for good."""
    guest, service = lab.guests[name], "169.254.169.254"
    ports, numbers = (40000, 80), (7, 9)
    middle = frames.tcp(guest.address, service, ports, b"GET", frames.ACK | frames.PSH, numbers)
    with guest.namespace.socket(socket.SOCK_RAW, protocol=socket.IPPROTO_TCP) as client:
        client.settimeout(PATIENCE)
        client.connect((service, 0))
        client.send(middle)
        answer = client.recv(100)[20:]
    assert struct.unpack("!HHI", answer[:8]) == (80, 40000, numbers[1])
    assert answer[13] & frames.RST


@pytest.mark.parametrize("name", ["all", "open"])
def test_no_guest_serves_dhcp_to_one_that_lets_everything_in(lab: Lab, name: str) -> None:
    source = lab.guests[name]
    target = lab.guests["open" if name == "all" else "all"]
    with target.listen(68, UDP) as client, source.namespace.socket(UDP) as server:
        server.bind(("", 67))
        before = lab.dropped()
        server.sendto(b"offer", (target.address, 68))
        assert not lab.arrived(client, before)
    assert lab.reaches(source, target, 68, UDP)


V6 = {
    "router advertisement": (58, struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)),
    "router solicitation": (58, struct.pack("!BBHI", 133, 0, 0, 0)),
    "neighbour solicitation": (58, struct.pack("!BBHI16s", 135, 0, 0, 0, bytes(16))),
    "neighbour advertisement": (58, struct.pack("!BBHI16s", 136, 0, 0, 1 << 29, bytes(16))),
    "redirect": (58, struct.pack("!BBHI16s16s", 137, 0, 0, 0, bytes(16), bytes(16))),
    "multicast listener report": (58, struct.pack("!BBHHH", 143, 0, 0, 0, 0)),
    "echo": (58, struct.pack("!BBHHH", 128, 0, 0, 1, 1)),
    "DHCPv6 advertise": (17, packets.udp(547, 546, b"\x02abc")),
    "DHCPv6 solicit": (17, packets.udp(546, 547, b"\x01abc")),
    "TCP": (6, packets.tcp_syn("10.20.0.7", "10.20.0.8", 1, 22)),
    "hop-by-hop options": (0, struct.pack("!BBHI", 59, 0, 0x0502, 0)),
    "a fragment that is all": (44, struct.pack("!BBHI", 58, 0, 0, 7) + bytes(8)),
    "routing header": (43, struct.pack("!BBBBI", 59, 0, 0, 0, 0)),
}


@pytest.fixture(scope="module")
def v6(lab: Lab) -> Lab:
    """A host whose taps listen to IPv6: where they do not, the kernel drops it before any rule."""
    for name in ("all", "open"):
        lab.host.sysctl(f"net/ipv6/conf/{lab.guests[name].nic.tap}/disable_ipv6", 0)
    return lab


@pytest.mark.parametrize("source", ["link-local", "unspecified", "global"])
@pytest.mark.parametrize("what", V6)
@pytest.mark.parametrize("name", ["all", "open"])
def test_all_ipv6_is_dropped_and_counted(v6: Lab, name: str, what: str, source: str) -> None:
    guest = v6.guests[name]
    address = {"link-local": "fe80::1", "unspecified": "::", "global": "2001:db8::7"}[source]
    before = v6.dropped()
    protocol, payload = V6[what]
    frame(guest, address, "ff02::1", protocol, payload)
    assert v6.dropped() == before + 1


def frame(guest: Guest, source: str, target: str, protocol: int, payload: bytes) -> None:
    mac = bytes.fromhex(guest.nic.mac.replace(":", ""))
    ends = (socket.inet_pton(socket.AF_INET6, text) for text in (source, target))
    header = struct.pack("!IHBB", 6 << 28, len(payload), protocol, 255) + b"".join(ends)
    with guest.namespace.socket(socket.SOCK_RAW, socket.AF_PACKET) as out:
        out.bind(("eth0", 0))
        out.send(b"\x33\x33\x00\x00\x00\x01" + mac + b"\x86\xdd" + header + payload)
