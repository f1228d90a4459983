"""Who outside is told where a floating address is: answers to ARP, and what is said unasked."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cloudsync.agent.links.announce import frame
from tests.floating.world import FIRST, SECOND, THIRD, mac, world
from tests.lab.standins import OUTSIDE, PATIENCE, Lab, standins

REQUEST, REPLY = 1, 2
ETH_P_ARP = 0x0806


def test_a_frame_says_the_same_to_everybody_as_question_and_as_answer() -> None:
    hardware = bytes.fromhex("525400000001")
    made = frame(REPLY, hardware, FIRST)
    assert made[:6] == b"\xff" * 6
    assert made[6:12] == made[22:28] == hardware
    assert made[12:22] == bytes.fromhex("08060001080006040002")
    assert made[28:32] == made[38:42] == socket.inet_aton(FIRST)
    assert len(made) == 42


@pytest.fixture
def lab() -> Iterator[Lab]:
    with standins(world()) as made:
        yield made


@contextmanager
def ears(lab: Lab) -> Iterator[socket.socket]:
    """Every ARP frame that comes to outside."""
    with lab.outside.namespace.socket(socket.SOCK_RAW, socket.AF_PACKET) as raw:
        raw.bind(("eth0", ETH_P_ARP))
        raw.settimeout(PATIENCE)
        yield raw


def heard(raw: socket.socket, goal: set[tuple[int, str]]) -> dict[tuple[int, str], bytes]:
    """(operation, sender) of gratuitous ARP -> hardware address, until all of `goal` were heard."""
    found: dict[tuple[int, str], bytes] = {}
    while not goal <= found.keys():
        data = raw.recv(100)
        operation = struct.unpack("!H", data[20:22])[0]
        sender, target = socket.inet_ntoa(data[28:32]), socket.inet_ntoa(data[38:42])
        if sender == target:
            found[operation, sender] = data[22:28]
    return found


def said(*addresses: str) -> set[tuple[int, str]]:
    return {(operation, address) for address in addresses for operation in (REQUEST, REPLY)}


@pytest.mark.real
def test_what_comes_is_announced_with_the_uplinks_hardware_address(lab: Lab) -> None:
    with ears(lab) as raw:
        lab.apply(world(b=None))
        found = heard(raw, said(FIRST, THIRD))
        assert set(found.values()) == {mac(lab)}
        assert not [one for one in found if one[1] == SECOND]
        lab.apply(world())
        assert heard(raw, said(SECOND))[REPLY, SECOND] == mac(lab)


@pytest.mark.real
def test_an_announcement_is_repeated(lab: Lab) -> None:
    lab.apply(world())
    with ears(lab) as raw:
        for _ in range(2):
            heard(raw, said(FIRST, SECOND, THIRD))


@pytest.mark.real
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_an_agent_that_starts_announces_again(lab: Lab, end: str) -> None:
    lab.apply(world())
    lab.stop_agent() if end == "stop" else lab.kill_agent()
    with ears(lab) as raw:
        lab.apply(world())
        heard(raw, said(FIRST, SECOND, THIRD))


@pytest.mark.real
def test_an_uplink_that_comes_later_is_waited_for(lab: Lab) -> None:
    """At boot the agent is there before the network is."""
    lab.host.ip("link", "set", "up0", "down")
    lab.apply(world())
    assert lab.drift(world()) == []
    with ears(lab) as raw:
        lab.host.ip("link", "set", "up0", "up")
        lab.host.ip("route", "add", "default", "via", OUTSIDE)
        heard(raw, said(FIRST, SECOND, THIRD))


@pytest.mark.real
def test_questions_are_answered_at_once_also_after_the_uplink_was_down(lab: Lab) -> None:
    lab.apply(world())
    assert asked(lab, FIRST) == mac(lab)
    lab.host.ip("link", "set", "up0", "down")
    lab.host.ip("link", "set", "up0", "up")
    assert asked(lab, SECOND) == mac(lab)
    assert lab.host.run("cat", "/proc/sys/net/ipv4/neigh/up0/proxy_delay").stdout == "0\n"


def asked(lab: Lab, address: str) -> bytes:
    """Who answers that it is there."""
    own = lab.outside.namespace.run("cat", "/sys/class/net/eth0/address").stdout.strip().replace(":", "")
    hardware = bytes.fromhex(own)
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, REQUEST) + hardware + socket.inet_aton(OUTSIDE) + bytes(6)
    with ears(lab) as raw:
        raw.send(b"\xff" * 6 + hardware + b"\x08\x06" + body + socket.inet_aton(address))
        while True:
            data = raw.recv(100)
            if data[20:22] == b"\0\x02" and data[:6] == hardware and socket.inet_ntoa(data[28:32]) == address:
                return data[22:28]
