"""Floating addresses pass from one instance to another while traffic flows."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import groupby

import pytest

from tests.firewall.test_change import exchange
from tests.floating.world import FIRST, SECOND, seen, world
from tests.lab.standins import HOST, OUTSIDE, PATIENCE, Lab, Peer, standins

pytestmark = pytest.mark.real

UDP = socket.SOCK_DGRAM


@pytest.fixture
def lab() -> Iterator[Lab]:
    with standins(world()) as made:
        made.apply(world())
        yield made


Ends = tuple[socket.socket, socket.socket]


@contextmanager
def talking(source: Peer, target: Peer, address: str, port: int = 80) -> Iterator[Ends]:
    """An established connection by `address`: (client's end, server's end)."""
    with target.listen(port) as server, source.connect(address, port) as client:
        accepted, _ = server.accept()
        with accepted:
            accepted.settimeout(PATIENCE)
            exchange(client, accepted)
            yield client, accepted


def is_cut(lab: Lab, client: socket.socket, server: socket.socket) -> bool:
    """Both ends speak and neither is heard; the guests' side of the flow is not known any more."""
    client.sendall(b"lost")
    server.sendall(b"lost")
    for end in (client, server):
        end.setblocking(False)
        with suppress(BlockingIOError):
            end.recv(4)
            return False
    return flows(lab, client.getsockname()[1]) == []


def flows(lab: Lab, port: int) -> list[str]:
    """Tracked connections of a guest from that port of the client."""
    listed = lab.host.run("conntrack", "-L", "-p", "tcp", "--sport", str(port), check=False).stdout
    return [line for line in listed.splitlines() if "ESTABLISHED" in line and "=10." in line]


def test_a_move_cuts_the_old_owners_connections_and_nobody_elses(lab: Lab) -> None:
    a, b, outside = lab.guests["a"], lab.guests["b"], lab.outside
    with (
        talking(outside, a, FIRST) as comes,
        talking(a, outside, OUTSIDE, 7000) as leaves,
        talking(b, a, FIRST, 82) as hairpin,
        talking(outside, a, a.address, 81) as by_its_own,
        talking(outside, b, SECOND) as other,
        talking(b, outside, OUTSIDE, 7001) as others_way_out,
    ):
        lab.apply(world(a=None, b=FIRST))
        for doomed in (comes, leaves, hairpin, other, others_way_out):
            assert is_cut(lab, *doomed)
        exchange(*by_its_own)
    assert seen(outside, b, FIRST, 80) == OUTSIDE
    assert seen(b, outside, OUTSIDE, 7000) == FIRST
    assert seen(a, outside, OUTSIDE, 7000) == HOST


def test_others_keep_theirs(lab: Lab) -> None:
    lab.apply(world(b=None))
    a, b, outside = lab.guests["a"], lab.guests["b"], lab.outside
    shut, plain = lab.guests["shut"], lab.guests["plain"]
    with (
        talking(outside, a, FIRST) as doomed,
        talking(shut, outside, OUTSIDE, 7000) as by_another,
        talking(plain, outside, OUTSIDE, 7001) as by_the_host,
        talking(outside, plain, plain.address, 81) as straight,
        talking(b, a, a.address, 82) as between,
    ):
        lab.apply(world(a=None, b=FIRST))
        assert is_cut(lab, *doomed)
        for kept in (by_another, by_the_host, straight, between):
            exchange(*kept)


def test_two_swap_in_one_apply(lab: Lab) -> None:
    """Every key of the maps stays; only what it leads to changes."""
    a, b, outside = lab.guests["a"], lab.guests["b"], lab.outside
    with talking(outside, a, FIRST) as first, talking(b, outside, OUTSIDE, 7000) as second:
        lab.apply(world(a=SECOND, b=FIRST))
        assert is_cut(lab, *first)
        assert is_cut(lab, *second)
    assert lab.drift(world(a=SECOND, b=FIRST)) == []
    assert (seen(outside, b, FIRST, 80), seen(outside, a, SECOND, 80)) == (OUTSIDE, OUTSIDE)
    assert (seen(a, outside, OUTSIDE, 7000), seen(b, outside, OUTSIDE, 7000)) == (SECOND, FIRST)


def test_one_that_is_withdrawn_leads_nowhere_and_leaves_nothing_behind(lab: Lab) -> None:
    none = world(a=None, b=None)
    a, outside = lab.guests["a"], lab.outside
    with talking(outside, a, FIRST) as comes, talking(a, outside, OUTSIDE, 7000) as leaves:
        lab.apply(none)
        assert is_cut(lab, *comes)
        assert is_cut(lab, *leaves)
    assert seen(a, outside, OUTSIDE, 7000) == HOST
    outside.namespace.ip("neigh", "flush", "dev", "eth0")
    with pytest.raises(OSError, match="No route to host"):
        outside.connect(FIRST, 80)
    assert FIRST not in lab.host.ip("neigh", "show", "proxy") + lab.host.ip("route", "show", "table", "all")
    assert lab.drift(none) == []


def test_what_was_somebody_elses_before_is_cut_when_it_comes(lab: Lab) -> None:
    """A guest talks to a machine outside that has the address; then another guest is given it."""
    lab.apply(world(b=None))
    lab.outside.namespace.ip("addr", "add", f"{SECOND}/32", "dev", "eth0")
    with talking(lab.guests["a"], lab.outside, SECOND, 7000) as misled:
        lab.apply(world())
        assert is_cut(lab, *misled)
    assert seen(lab.guests["a"], lab.guests["b"], SECOND, 80) == "10.20.0.11"


def test_an_agent_that_starts_cuts_what_the_last_one_left(lab: Lab) -> None:
    """Killed between the translation and the cutting; what is stored is the old document."""
    a = lab.guests["a"].nics[0] if hasattr(lab.guests["a"], "nics") else lab.guests["a"].nic
    b = lab.guests["b"].nic
    with talking(lab.outside, lab.guests["a"], FIRST) as doomed:
        lab.kill_agent()
        lab.nft(
            f"delete element inet cloudsync fip_in4 {{ {FIRST}, {SECOND} }}\n"
            f"add element inet cloudsync fip_in4 {{ {FIRST} : {b.address}, {SECOND} : {a.address} }}"
        )
        assert len(flows(lab, doomed[0].getsockname()[1])) == 1
        lab.apply(world(a=SECOND, b=FIRST))
        assert is_cut(lab, *doomed)


class Prober:
    """Asks FIRST who it is without pause, by a new flow each time; `answers` are the names, in order."""

    def __init__(self, lab: Lab) -> None:
        self.answers: list[str] = []
        self.lost = 0
        self._stop, self._moved = threading.Event(), threading.Condition()
        self._servers = {name: lab.guests[name].listen(80, UDP) for name in ("a", "b")}
        self._threads = [threading.Thread(target=self._serve, args=pair) for pair in self._servers.items()]
        self._threads.append(threading.Thread(target=lab.outside.namespace.enter, args=(self._ask,)))
        for thread in self._threads:
            thread.start()

    def _serve(self, name: str, server: socket.socket) -> None:
        server.settimeout(0.2)
        while not self._stop.is_set():
            with suppress(TimeoutError):
                data, peer = server.recvfrom(10)
                server.sendto(name.encode() + data, peer)

    def _ask(self) -> None:
        while not self._stop.is_set():
            with socket.socket(socket.AF_INET, UDP) as client:
                client.settimeout(1)
                client.connect((FIRST, 80))
                client.send(b"who")
                try:
                    answer = client.recv(20).decode()
                except TimeoutError:
                    self.lost += 1
                    continue
            # A pace, so that the flows to be cut stay few.
            self._stop.wait(0.02)
            with self._moved:
                self.answers.append(answer.removesuffix("who"))
                self._moved.notify_all()

    def more(self, count: int) -> None:
        with self._moved:
            goal = len(self.answers) + count
            assert self._moved.wait_for(lambda: len(self.answers) >= goal, PATIENCE), "nobody answers"

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for server in self._servers.values():
            server.close()


def test_while_it_moves_one_has_it_then_the_other_and_never_both_or_neither(lab: Lab) -> None:
    """Only what is under way while the old owner's flows are cut may be lost: one question a move, at most."""
    prober = Prober(lab)
    try:
        owners = []
        for owner in ("a", "b", "a", "b"):
            lab.apply(world(a=FIRST, b=SECOND) if owner == "a" else world(a=SECOND, b=FIRST))
            prober.more(20)
            owners.append(owner)
    finally:
        prober.end()
    assert [name for name, _ in groupby(prober.answers)] == owners
    assert prober.lost <= len(owners) - 1
