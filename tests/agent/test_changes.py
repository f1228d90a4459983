"""A long document on the disk: its changes stand beside the whole, and are found again after any crash."""

import json
import os
import shutil
from pathlib import Path

import pytest

from cloudsync.agent.seal import Damage
from cloudsync.agent.store import Store, Text
from cloudsync.model import wire
from cloudsync.model.delta import difference
from cloudsync.model.document import Entry, HostDocument
from tests.agent.documents import UUID, document

NAMES = [f"box-{number}" for number in range(40)]


def crowd(generation: int, less: int = 0) -> HostDocument:
    """Each generation has one instance more in its directory, or `less`."""
    entries = [Entry(uuid=UUID, host="kvm-2", addresses=(f"10.20.3.{number}",)) for number in range(len(NAMES))]
    directory = dict(zip(NAMES[: 20 + generation - less], entries, strict=False))
    return document(generation, directory=directory)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Every change gets a file of its own."""
    return Store(tmp_path, short=0)


def put(store: Store, *generations: int) -> None:
    for generation in generations:
        store.stage(crowd(generation))
        store.commit()


def files(store: Store) -> list[Path]:
    """The whole first, then its changes in order."""
    changes = [path for path in store.path.parent.iterdir() if path != store.path]
    return [store.path, *sorted(changes, key=lambda path: int(path.name.split(".")[2]))]


def test_changes_stand_beside_the_whole_and_only_root_may_read_them(store: Store) -> None:
    put(store, 1, 2, 3)
    assert store.load() == crowd(3)
    assert len(files(store)) == 3
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files(store))
    assert files(store)[1].stat().st_size < store.path.stat().st_size / 2


def test_what_came_is_stored_as_it_came(store: Store) -> None:
    first, second = crowd(1), crowd(2)
    delta, whole = (_loosely(value) for value in (difference(first, second), crowd(3)))
    for wanted, text in ((first, None), (second, Text(delta, first)), (crowd(3), Text(whole))):
        store.stage(wanted, text)
        store.commit()
        if text:
            assert files(store)[-1].read_bytes().partition(b"\n")[2] == text.body + b"\n"
        assert Store(store.path.parent).load() == wanted
        assert len(files(store)) == 1 + (wanted is second)


def test_a_difference_to_another_document_than_the_stored_one_is_worked_out_anew(store: Store) -> None:
    put(store, 1, 2)
    store.stage(crowd(3), Text(_loosely(difference(crowd(5), crowd(3))), crowd(5)))
    store.commit()
    assert len(files(store)) == 3
    assert store.load() == crowd(3)


def test_a_change_that_came_to_a_short_document_is_written_whole(tmp_path: Path) -> None:
    store, first = Store(tmp_path), crowd(1)
    for wanted, text in ((first, None), (crowd(2), Text(_loosely(difference(first, crowd(2))), first))):
        store.stage(wanted, text)
        store.commit()
    assert files(store) == [store.path]
    assert store.load() == crowd(2)


def _loosely(value: object) -> bytes:
    """As somebody else would write it."""
    return json.dumps(json.loads(wire.dump(value)), indent=1).encode() + b"\n"


def test_a_short_document_is_always_written_whole(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, 1, 2, 3)
    assert files(store) == [store.path]
    assert store.load() == crowd(3)


def test_the_etag_is_of_this_document_and_outlives_the_agent(store: Store, tmp_path: Path) -> None:
    seen = set()
    for generation in range(1, 5):
        put(store, generation)
        seen.add(store.etag)
        again = Store(tmp_path, short=0)
        again.load()
        assert again.etag == store.etag
    assert len(seen) == 4


def test_the_same_generation_by_another_way_has_another_etag(store: Store, tmp_path: Path) -> None:
    """A controller that has seen the one must not send a delta to it to the other."""
    other = tmp_path / "other"
    other.mkdir()
    rival = Store(other, short=0)
    put(store, 1, 2)
    put(rival, 1)
    rival.stage(crowd(2, less=1))
    rival.commit()
    assert store.etag != rival.etag


def test_changes_are_folded_in_when_they_are_many(store: Store) -> None:
    for generation in range(1, 120):
        store.stage(document(generation, directory=crowd(15).directory))
        store.commit()
    assert 1 <= len(files(store)) < 30
    assert store.load() == document(119, directory=crowd(15).directory)


def test_a_crash_at_any_point_leaves_the_old_or_the_new(store: Store, tmp_path: Path) -> None:
    """The folder as it is after each step of a change, taken over by another agent."""
    put(store, 1, 2)
    staged, before = tmp_path / "staged", tmp_path / "before"
    _copied(tmp_path, before)
    store.stage(crowd(3))
    _copied(tmp_path, staged)
    store.commit()
    assert Store(before, short=0).load() == Store(staged, short=0).load() == crowd(2)
    assert [path.name for path in staged.iterdir() if path.name.endswith(".new")] == []
    assert Store(tmp_path, short=0).load() == crowd(3)


def test_a_crash_between_a_new_whole_and_the_end_of_the_old_changes_leaves_the_new(
    store: Store, tmp_path: Path
) -> None:
    put(store, 1, 2, 3)
    left = [(path, path.read_bytes()) for path in files(store)[1:]]
    store.stage(document(4, cloud="other"))
    store.commit()
    for path, text in left:
        path.write_bytes(text)
    again = Store(tmp_path, short=0)
    assert again.load() == document(4, cloud="other")
    assert files(again) == [again.path]


def test_the_very_same_whole_after_damage_has_no_old_changes(store: Store, tmp_path: Path) -> None:
    put(store, 1, 2, 3)
    files(store)[2].write_bytes(b"rubbish")
    again = Store(tmp_path, short=0)
    assert isinstance(again.load(), Damage)
    put(again, 1)
    assert Store(tmp_path, short=0).load() == crowd(1)


@pytest.mark.parametrize("which", [1, 2])
@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "swap", "folder"])
def test_a_damaged_change_is_known_and_its_owner_too(store: Store, tmp_path: Path, which: int, harm: str) -> None:
    put(store, 1, 2, 3)
    path, other = files(store)[which], files(store)[3 - which]
    text = path.read_bytes()
    path.unlink()
    if harm == "folder":
        path.mkdir()
    else:
        harmed = {"flip": text.replace(b"10.20.3.", b"10.20.4."), "cut": text[:-9], "empty": b"", "swap": b""}[harm]
        path.write_bytes(other.read_bytes() if harm == "swap" else harmed)
    found = Store(tmp_path, short=0).load()
    assert isinstance(found, Damage)
    assert found.seal is not None
    assert (found.seal.cloud, found.seal.host) == ("demo", "kvm-1")


def test_a_change_that_is_missing_in_the_middle_is_known(store: Store, tmp_path: Path) -> None:
    put(store, 1, 2, 3)
    files(store)[1].unlink()
    assert isinstance(Store(tmp_path, short=0).load(), Damage)


def test_what_was_only_staged_or_given_up_is_forgotten(store: Store, tmp_path: Path) -> None:
    put(store, 1, 2)
    etag = store.etag
    store.stage(crowd(3))
    store.discard()
    assert (store.etag, len(files(store))) == (etag, 2)
    put(store, 3)
    assert Store(tmp_path, short=0).load() == crowd(3)
    with pytest.raises(OSError, match="nothing was staged"):
        store.commit()


def _copied(folder: Path, to: Path) -> None:
    to.mkdir()
    for name in os.listdir(folder):  # noqa: PTH208
        if (folder / name).is_file():
            shutil.copy2(folder / name, to / name)
