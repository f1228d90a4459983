"""One document after the other: whole or not at all, and never another cloud's."""

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cloudsync.agent.keeper import Foreign, Keeper, Moved
from cloudsync.agent.store import Store
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Drift
from tests.agent.documents import document, empty
from tests.agent.parts import Recorder, recorders


class Host:
    """A keeper over two recording parts; `restart` makes a new one over the same folder."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.first, self.second = recorders(folder)
        self.restart()

    def restart(self) -> None:
        self.keeper = Keeper((self.first, self.second), self.store)
        self.keeper.start()

    @property
    def generation(self) -> int:
        return self.keeper.document.generation if self.keeper.document else 0

    @property
    def drift(self) -> tuple[Drift, ...]:
        return self.keeper.look()[1]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    made.keeper.close()


def test_a_new_host_does_nothing_by_itself(host: Host) -> None:
    assert host.first.calls() == []
    assert host.keeper.look() == (None, (), "")


def test_a_document_goes_to_every_part_in_order_then_to_the_disk(host: Host) -> None:
    host.keeper.put(document(1), 0)
    assert host.first.applied() == host.second.applied() == [1]
    assert host.store.load() == document(1)
    host.restart()
    assert host.first.applied() == [1, 1]
    assert host.generation == 1


@pytest.mark.parametrize("base", [0, 2])
def test_a_document_over_another_generation_is_refused_and_nothing_is_touched(host: Host, base: int) -> None:
    host.keeper.put(document(1), 0)
    with pytest.raises(Moved, match="generation"):
        host.keeper.put(document(base + 1), base)
    assert host.first.applied() == [1]
    assert host.store.load() == document(1)


def test_when_a_part_refuses_the_others_go_back_and_nothing_is_stored(host: Host) -> None:
    host.keeper.put(document(1), 0)
    host.second.fail_once("no room for the rules")
    with pytest.raises(HostError) as caught:
        host.keeper.put(document(2), 1)
    assert caught.value.message == "second: no room for the rules"
    assert caught.value.hint == "mend it"
    assert host.first.applied() == host.second.applied() == [1, 2, 1]
    assert host.generation == 1
    assert host.drift == ()
    assert host.store.load() == document(1)
    host.keeper.put(document(2), 1)
    assert host.store.load() == document(2)


def test_the_first_document_of_a_host_goes_back_to_nothing(host: Host) -> None:
    host.second.fail_once("no")
    with pytest.raises(HostError):
        host.keeper.put(document(1), 0)
    assert host.first.calls() == [("apply", 1, ["web"]), ("apply", 0, [])]
    assert host.second.calls() == [("apply", 1, ["web"]), ("apply", 0, [])]
    assert host.store.load() is None


def test_a_part_that_cannot_go_back_is_told_now_and_as_drift(host: Host, tmp_path: Path) -> None:
    host.keeper.put(document(1), 0)

    class Trap(Recorder):
        """Makes the first part fail from here on."""

        def apply(self, document: HostDocument) -> None:
            if document.generation == 2:
                host.first.fail("stuck")
                raise HostError("no", "mend it")

    host.keeper = Keeper((host.first, Trap("trap", tmp_path)), host.store)
    host.keeper.start()
    with pytest.raises(HostError, match="trap: no; and first could not go back: stuck"):
        host.keeper.put(document(2), 1)
    assert "first is not in force: stuck" in host.drift[0].message


def test_a_bug_in_a_part_goes_back_too_and_tells_nothing_secret(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    host.keeper.put(document(1), 0)
    host.second.fail("bug")
    with pytest.raises(HostError, match="second: failed with KeyError") as caught:
        host.keeper.put(document(2), 1)
    assert host.first.applied() == [1, 2, 1]
    secret = next(iter(document().user_data.values()))
    assert secret not in caplog.text + str(caught.value)
    assert "KeyError at" in caplog.text


def test_a_full_disk_is_found_before_anything_is_touched(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.store = Store(tmp_path / "gone")
    host.restart()
    with pytest.raises(HostError, match="cannot be stored"):
        host.keeper.put(document(1), 0)
    assert host.first.calls() == []


def test_a_disk_that_fails_at_the_last_moment_makes_the_parts_go_back(host: Host) -> None:
    host.keeper.put(document(1), 0)
    host.store.path.unlink()
    host.store.path.mkdir()
    with pytest.raises(HostError, match="cannot be stored"):
        host.keeper.put(document(2), 1)
    assert host.first.applied() == host.second.applied() == [1, 2, 1]
    assert host.generation == 1


class Greedy(Recorder):
    """Takes every file that the process may still open, so that the folder cannot be flushed after the rename."""

    taken: list[int]

    def apply(self, document: HostDocument) -> None:
        super().apply(document)
        self.taken = []
        with suppress(OSError):
            while True:
                self.taken.append(os.open("/dev/null", os.O_RDONLY))

    def let_go(self) -> None:
        for descriptor in self.taken:
            os.close(descriptor)


def test_a_document_that_has_its_place_is_the_one_in_force_whatever_follows(host: Host, tmp_path: Path) -> None:
    host.keeper.put(document(1), 0)
    greedy = Greedy("greedy", tmp_path)
    keeper = Keeper((host.first, greedy), host.store)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        keeper.start()
        greedy.let_go()
        keeper.put(document(2), 1)
    finally:
        greedy.let_go()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert host.store.load() == keeper.document == document(2)
    assert host.first.applied()[-1] == 2
    keeper.close()


def test_another_clouds_host_and_another_host_are_refused(host: Host) -> None:
    host.keeper.put(document(1), 0)
    with pytest.raises(Foreign, match="belongs to cloud 'demo'"):
        host.keeper.put(document(2, cloud="other"), 1)
    with pytest.raises(Foreign, match="is 'kvm-1' in its cloud"):
        host.keeper.put(document(2, host="kvm-2"), 1)
    assert host.first.applied() == [1]


def test_a_host_that_was_destroyed_may_be_taken_over(host: Host) -> None:
    host.keeper.put(document(1), 0)
    host.keeper.put(empty(2), 1)
    host.keeper.put(empty(3, cloud="other", host="h"), 2)
    assert host.keeper.document == empty(3, cloud="other", host="h")


def test_a_part_that_fails_at_start_is_drift_and_the_others_are_in_force(host: Host) -> None:
    host.keeper.put(document(1), 0)
    host.first.fail("port 53 is taken")
    host.restart()
    assert host.second.applied() == [1, 1]
    assert [drift.message for drift in host.drift] == ["first is not in force: port 53 is taken"]
    assert host.generation == 1
    host.first.fail(None)
    host.keeper.put(document(2), 1)
    assert host.drift == ()


def test_the_parts_drift_is_told(host: Host) -> None:
    host.keeper.put(document(1), 0)
    host.second.drifts("rule tcp/443 from any is missing")
    assert host.drift == (Drift(address="group.default", host="kvm-1", message="rule tcp/443 from any is missing"),)
    host.second.drifts("bug")
    assert "second cannot be read: KeyError" in host.drift[0].message


class Unread(Recorder):
    def drift(self, document: HostDocument) -> tuple[Drift, ...]:
        raise HostError("nft is not installed", "sudo apt-get install nftables")


def test_why_drift_cannot_be_told_is_logged_as_it_is_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    host = Host(tmp_path)
    host.keeper.put(document(1), 0)
    keeper = Keeper((Unread("firewall", tmp_path),), host.store)
    keeper.start()
    assert "firewall cannot be read: nft is not installed" in keeper.look()[1][0].message
    keeper.close()
    line = "the drift of firewall cannot be told: nft is not installed (sudo apt-get install nftables)"
    assert line in caplog.messages


def damage(host: Host, text: bytes) -> None:
    host.keeper.put(document(1), 0)
    host.store.path.write_bytes(text or host.store.path.read_bytes().replace(b"alice@", b"mallo@"))
    host.restart()


def test_a_damaged_document_closes_the_host_until_its_cloud_applies_again(host: Host) -> None:
    damage(host, b"")
    assert host.first.calls()[-1] == ("apply", 0, [])
    assert host.keeper.document is None
    assert "damaged" in host.drift[0].message
    assert host.drift[0].host == "kvm-1"
    with pytest.raises(Foreign):
        host.keeper.put(document(1, cloud="other"), 0)
    with pytest.raises(Moved):
        host.keeper.put(document(2), 1)
    host.keeper.put(document(1), 0)
    assert host.drift == ()
    assert host.store.load() == document(1)


def test_a_document_that_no_longer_tells_its_owner_needs_a_person(host: Host) -> None:
    damage(host, b"rubbish")
    with pytest.raises(Foreign, match="cannot be told which cloud") as caught:
        host.keeper.put(document(1), 0)
    assert f"sudo mv {host.store.path}" in caught.value.hint
    assert host.store.path.read_bytes() == b"rubbish"


def test_close_closes_the_parts_backwards_and_keeps_what_they_made(host: Host) -> None:
    host.keeper.put(document(1), 0)
    host.keeper.close()
    assert host.first.calls()[-1] == ("close", None, [])
    assert host.first.applied() == [1]
