"""The reading thread: it runs while a group wants it, survives what the kernel does to it, and ends at once."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import monotonic

from cloudsync.agent.denials.reader import Reader
from cloudsync.agent.denials.record import Record
from cloudsync.agent.firewall.denied import Port
from cloudsync.model.denial import Denial
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Direction
from tests.effort import PATIENCE
from tests.firewall.documents import document, group, instance

RECORDED = (Path(__file__).parent / "recordings" / "nflog-linux-6.18.bin").read_bytes()
TAP = "cs-0123456789ab"
INSTANCE = instance("web", "10.20.0.13", ("web",))
NIC = replace(INSTANCE.nics[0], tap=TAP)
LOGGING = document([replace(INSTANCE, nics=(NIC,))], [group("web", log_denied=True)])
SILENT = document([replace(INSTANCE, nics=(NIC,))], [group("web")])


class Heard(Record):
    """Says when something was added."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.left = number
        self.enough = Event()

    def add(self, port: Port, denial: Denial) -> None:
        super().add(port, denial)
        self.left -= 1
        if self.left == 0:
            self.enough.set()


class Kernel:
    """One end of a socket pair in place of netfilter's: datagrams keep their borders there too."""

    def __init__(self) -> None:
        self.opened = Event()
        self._ends: list[socket.socket] = []

    def open(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ends.append(ours)
        self.opened.set()
        return theirs

    def send(self, data: bytes) -> None:
        assert self.opened.wait(PATIENCE)
        self._ends[-1].send(data)

    def close(self) -> None:
        for end in self._ends:
            end.close()


@contextmanager
def reading(record: Record) -> Iterator[tuple[Reader, Kernel]]:
    kernel = Kernel()
    reader = Reader(record, kernel.open)
    try:
        yield reader, kernel
    finally:
        reader.close()
        kernel.close()


def test_packets_arrive_in_the_record_and_strange_ones_do_not_disturb() -> None:
    record = Heard(6)
    with reading(record) as (reader, kernel):
        reader.suit(LOGGING)
        for data in (RECORDED, b"", b"\xff" * 200, RECORDED.replace(TAP.encode(), b"cs-xxxxxxxxxxxx"), RECORDED):
            kernel.send(data)
        assert record.enough.wait(PATIENCE)
        out, ping = record.of([TAP])
    assert (out.side, out.count, out.target_port) == (Direction.EGRESS, 4, 9)
    assert (ping.side, ping.count, ping.icmp) == (Direction.INGRESS, 2, (8, 0))


def test_nobody_reads_unless_a_group_wants_it() -> None:
    record = Heard(3)
    with reading(record) as (reader, kernel):
        reader.suit(SILENT)
        reader.suit(None)
        assert not kernel.opened.is_set()
        reader.suit(LOGGING)
        kernel.send(RECORDED)
        assert record.enough.wait(PATIENCE)
        reader.suit(replace(LOGGING, groups=SILENT.groups))
        kernel.opened.clear()
        reader.suit(LOGGING)
        assert kernel.opened.wait(PATIENCE)


def test_an_instance_that_is_gone_is_forgotten() -> None:
    record = Heard(3)
    with reading(record) as (reader, kernel):
        reader.suit(LOGGING)
        kernel.send(RECORDED)
        assert record.enough.wait(PATIENCE)
        reader.suit(replace(LOGGING, instances={}))
        assert record.of([TAP]) == ()


def test_a_refusal_is_told_and_closing_does_not_wait_for_the_next_try() -> None:
    tried = Event()

    def refused() -> socket.socket:
        tried.set()
        raise HostError("denied packets cannot be read: no", "ask again")

    reader = Reader(Record(), refused)
    reader.suit(LOGGING)
    assert tried.wait(PATIENCE)
    while not reader.fault:
        os.sched_yield()
    assert reader.fault == "denied packets cannot be read: no"
    reader.close()
    assert reader.fault == ""


def test_a_flood_is_read_no_faster_than_a_thousand_a_second() -> None:
    many = 150
    record = Heard(3 * many + 3)
    with reading(record) as (reader, kernel):
        reader.suit(LOGGING)
        began = monotonic()
        kernel.send(RECORDED * many)
        kernel.send(RECORDED)
        assert record.enough.wait(PATIENCE)
    # Between the two stands a pause of a thousandth of a second for each packet of the first.
    assert monotonic() - began >= 3 * many / 1000
