"""Parts that cannot be brought into force at once: the others are, and these are tried again."""

import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from cloudsync.agent.keeper import Keeper
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from tests.agent.documents import document
from tests.agent.parts import Recorder
from tests.agent.test_keeper import Host
from tests.effort import PATIENCE


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    made.keeper.close()


def test_what_needs_a_part_that_fails_at_start_is_not_brought_into_force(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    host.keeper.put(document(1), 0)
    host.first.fail("nft is missing")
    dependent = Recorder("dependent", tmp_path, needs=("first",))
    keeper = Keeper((host.first, dependent, host.second), host.store)
    keeper.start()
    assert dependent.applied() == []
    assert host.second.applied() == [1, 1]
    assert [drift.message for drift in keeper.look()[1]] == [
        "first is not in force: nft is missing",
        "dependent is not in force: it waits for first",
    ]
    assert caplog.messages[-2:] == ["first: nft is missing (mend it)", "dependent: it waits for first"]
    keeper.close()


class Awaited(Recorder):
    """Fails until it is mended, and tells when it holds."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, folder)
        self.tried, self.mended, self.holds = Event(), Event(), Event()

    def apply(self, document: HostDocument) -> None:
        super().apply(document)
        if not self.mended.is_set():
            self.tried.set()
            raise HostError("port 53 is taken", "stop it")
        self.holds.set()


def test_what_fails_at_start_is_tried_again_until_it_holds(host: Host, tmp_path: Path) -> None:
    host.keeper.put(document(1), 0)
    late = Awaited("late", tmp_path)
    follower = Recorder("follower", tmp_path, needs=("late",))
    keeper = Keeper((host.first, late, follower), host.store, first_pause=0.001)
    keeper.start()
    for _ in range(2):
        late.tried.clear()
        assert late.tried.wait(PATIENCE)
    assert follower.applied() == []
    late.mended.set()
    assert late.holds.wait(PATIENCE)
    assert keeper.look()[1] == ()
    assert follower.applied() == [1]
    assert host.first.applied() == [1, 1]
    keeper.close()


def test_a_part_that_could_not_go_back_is_tried_again(host: Host, tmp_path: Path) -> None:
    host.keeper.put(document(1), 0)
    late = Awaited("late", tmp_path)
    late.mended.set()
    keeper = Keeper((late, host.second), host.store, first_pause=0.001)
    keeper.start()
    late.mended.clear()
    with pytest.raises(HostError, match="late could not go back"):
        keeper.put(document(2), 1)
    late.holds.clear()
    late.mended.set()
    assert late.holds.wait(PATIENCE)
    assert keeper.look()[1] == ()
    assert late.applied()[-1] == 1
    keeper.close()


def test_a_keeper_that_closes_gives_up(host: Host, tmp_path: Path) -> None:
    host.keeper.put(document(1), 0)
    late = Awaited("late", tmp_path)
    keeper = Keeper((late,), host.store, first_pause=0.001)
    keeper.start()
    assert "retry" in {thread.name for thread in threading.enumerate()}
    keeper.close()
    assert "retry" not in {thread.name for thread in threading.enumerate()}
