"""An agent of another version takes over the table that the last one left, while traffic flows."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.early.booting import IN, Host, booting
from tests.firewall.test_change import Flow, flowing
from tests.lab.standins import PATIENCE, Guest

pytestmark = pytest.mark.real

UDP = socket.SOCK_DGRAM
OLDER = {
    "other rules in a chain of every packet": "insert rule inet cloudsync forward_to ct state established accept",
    "a set of another type": "delete set inet cloudsync cs_meta\n"
    "add set inet cloudsync cs_meta { type mark; timeout 1h; }",
    "a chain at another place": "flush chain inet cloudsync output\ndelete chain inet cloudsync output\n"
    "add chain inet cloudsync output { type filter hook output priority 5; }",
    "a map that is not used any more": "add map inet cloudsync ports { type inet_service : verdict; }\n"
    "add chain inet cloudsync old\nadd rule inet cloudsync old counter\n"
    "add element inet cloudsync ports { 80 : jump old }\nadd rule inet cloudsync forward_from tcp dport vmap @ports",
    "no ARP table yet": "delete table arp cloudsync",
}


@contextmanager
def by_turns(host: Host, guest: Guest) -> Iterator[Flow]:
    """Datagrams between outside and the guest: one that is lost stops it for good."""
    with host.lab.outside.namespace.socket(UDP) as client, guest.listen(IN, UDP) as server:
        client.connect((guest.address, IN))
        client.sendall(b"first")
        server.settimeout(PATIENCE)
        client.settimeout(PATIENCE)
        while True:
            data, peer = server.recvfrom(10)
            if data == b"first":
                break
        server.connect(peer)
        server.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                server.recv(10)
        server.settimeout(PATIENCE)
        with flowing(client, server) as flow:
            yield flow


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with booting() as made:
        made.store()
        made.start()
        made.plug()
        made.only_what_may_passes()
        yield made


@pytest.mark.parametrize("older", OLDER)
def test_no_packet_is_lost_to_an_upgrade(host: Host, older: str) -> None:
    with by_turns(host, host.lab.guests["guest"]) as flow:
        host.end(signal.SIGTERM)
        host.lab.nft(OLDER[older])
        flow.wait_for_more()
        host.start()
        flow.wait_for_more()
        assert host.client.host().drift == ()
        flow.wait_for_more()
    host.only_what_may_passes()
