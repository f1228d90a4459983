"""The stored document: whole, or known to be damaged."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudsync.agent.seal import Damage
from cloudsync.agent.store import Store
from tests.agent.documents import document


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def put(store: Store, generation: int) -> None:
    store.stage(document(generation))
    store.commit()


def test_there_is_none_at_first(store: Store) -> None:
    assert store.load() is None


def test_what_is_committed_is_loaded_and_only_root_may_read_it(store: Store) -> None:
    put(store, 1)
    put(store, 2)
    assert store.load() == document(2)
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in store.path.parent.iterdir()] == ["document.json"]


def test_what_was_only_staged_is_forgotten(store: Store) -> None:
    put(store, 1)
    store.stage(document(2))
    assert store.load() == document(1)
    assert [path.name for path in store.path.parent.iterdir()] == ["document.json"]


def test_damage_of_the_content_leaves_the_owner_known(store: Store) -> None:
    put(store, 7)
    store.path.write_bytes(store.path.read_bytes().replace(b"10.20.0.7", b"10.20.0.8"))
    found = store.load()
    assert isinstance(found, Damage)
    assert found.seal is not None
    assert (found.seal.cloud, found.seal.host, found.seal.generation) == ("demo", "kvm-1", 7)


@pytest.mark.parametrize("text", [b"", b"\n", b"\0" * 5000, b"{}", b'{"cloud": "demo"}\n{}'])
def test_damage_of_the_seal_leaves_nothing_known(store: Store, text: bytes) -> None:
    store.path.write_bytes(text)
    found = store.load()
    assert isinstance(found, Damage)
    assert found.seal is None


def test_a_folder_in_its_place_is_damage_too(store: Store) -> None:
    store.path.mkdir()
    assert isinstance(store.load(), Damage)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_no_flipped_byte_goes_unnoticed(store: Store, at: float, flip: int) -> None:
    """But for the seal's own words, which are held to what the document says."""
    put(store, 3)
    text = bytearray(store.path.read_bytes())
    body = text.index(b"\n") + 1
    position = body + int(at * (len(text) - body - 1))
    text[position] ^= flip
    store.path.write_bytes(text)
    assert isinstance(store.load(), Damage)
