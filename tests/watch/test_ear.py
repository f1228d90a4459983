"""The ear of the watch: what it passes on of what hosts say, and what it makes of a host that it does not hear."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import enumerate as threads

import pytest

from cloudsync.apply.driver import Driver
from cloudsync.apply.events import Finished, Started
from cloudsync.hosts.attend import Heard
from cloudsync.hosts.fleet import Fleet
from cloudsync.hosts.sim import SimHost
from cloudsync.model.problem import HostError
from cloudsync.model.step import StopInstance
from cloudsync.watch.ear import HostEar
from cloudsync.watch.happening import Ending, RoundEnded, Stepped
from cloudsync.watch.source import Ear
from cloudsync.watch.trigger import Reason, Trigger
from tests.lab.eventually import eventually
from tests.lab.standins import PATIENCE

WEB = "11111111-1111-4111-8111-111111111111"


class Hosts:
    """Stand where hosts are: a test speaks for them. `down` says how often each cannot be listened to."""

    def __init__(self, *names: str, again: float = 0.001) -> None:
        self.down = dict.fromkeys(names, 0)
        self.heard: dict[str, Heard] = {}
        self.lost: dict[str, Callable[[], None]] = {}
        self.left: SimpleQueue[str] = SimpleQueue()
        self.told: SimpleQueue[Trigger] = SimpleQueue()
        self.ear = HostEar(again, self.attend)
        ear: Ear = self.ear
        ear.listen(Fleet({name: SimHost(name, "sim:", None) for name in names}, {}), self.told.put)

    @contextmanager
    def attend(self, driver: Driver, heard: Heard, lost: Callable[[], None]) -> Iterator[None]:
        if self.down[driver.name]:
            self.down[driver.name] -= 1
            raise HostError("it is down")
        self.heard[driver.name], self.lost[driver.name] = heard, lost
        yield
        self.left.put(driver.name)

    def next(self) -> str:
        found = self.told.get(timeout=PATIENCE)
        assert found.reason is Reason.EVENT
        return found.detail

    def silent(self) -> bool:
        try:
            self.told.get_nowait()
        except Empty:
            return True
        return False


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    made = Hosts("h1", "h2")
    yield made
    made.ear.end()


def test_each_host_is_heard_once_listen_returns(hosts: Hosts) -> None:
    hosts.heard["h2"](WEB, "instance.web", "web crashed on h2")
    assert hosts.next() == "web crashed on h2"
    hosts.heard["h1"]("", "host.h1", "h1: group.web: a rule is missing")
    assert hosts.next() == "h1: group.web: a rule is missing"
    assert hosts.silent()


def test_what_a_round_does_to_a_machine_is_no_news_and_what_comes_after_it_is(hosts: Hosts) -> None:
    stop = StopInstance(id="s", host="h1", address="instance.web", uuid=WEB, grace=0)
    hosts.ear(Stepped(1, Started(stop)))
    hosts.heard["h1"](WEB, "instance.web", "web stopped on h1")
    hosts.ear(Stepped(1, Finished(stop)))
    hosts.heard["h1"](WEB, "instance.web", "web stopped on h1")
    hosts.heard["h1"]("another", "instance.db", "db crashed on h1")
    assert hosts.next() == "db crashed on h1"
    hosts.ear(RoundEnded(number=1, triggers=(), ending=Ending.APPLIED, seconds=0.1))
    hosts.heard["h1"](WEB, "instance.web", "web crashed on h1")
    assert hosts.next() == "web crashed on h1"
    assert hosts.silent()


def test_a_host_that_is_lost_is_listened_to_again_and_looked_at(hosts: Hosts) -> None:
    hosts.down["h1"] = 3
    hosts.lost["h1"]()
    assert hosts.left.get(timeout=PATIENCE) == "h1"
    assert hosts.next() == "h1 is heard again"
    hosts.heard["h1"](WEB, "instance.web", "web crashed on h1")
    assert hosts.next() == "web crashed on h1"


def test_nothing_is_left_when_it_ends(hosts: Hosts) -> None:
    hosts.ear.end()
    hosts.heard["h1"](WEB, "instance.web", "web crashed on h1")
    assert {hosts.left.get(timeout=PATIENCE) for _ in range(2)} == {"h1", "h2"}
    eventually(lambda: [one.name for one in threads() if one.name.startswith("ear")], [])
    assert hosts.silent()


def test_a_simulated_host_tells_nothing_and_is_no_trouble() -> None:
    told: SimpleQueue[Trigger] = SimpleQueue()
    ear = HostEar()
    ear.listen(Fleet({"h1": SimHost("h1", "sim:", None)}, {}), told.put)
    ear.end()
    assert told.empty()
