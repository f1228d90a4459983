"""The journal as a value and as a file: what is written is read, whatever became of the last line."""

import json
import os
import resource
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsync.agent.journal import Journal
from cloudsync.model.document import Applied
from cloudsync.model.journal import (
    LONGEST,
    MOST_CHANGES,
    Began,
    Did,
    End,
    Ended,
    Entry,
    Line,
    entries,
    latest,
    line,
    merged,
    of_cloud,
    read,
)
from cloudsync.model.problem import HostError


def began(key: str, at: int = 0, **more: object) -> Began:
    applied = Applied(commit="ab" * 20, by="alice@desk", at=f"2025-01-02T03:04:{at:02}Z")
    return replace(Began(id=key, cloud="demo", applied=applied, steps=3), **more)  # type: ignore[arg-type]


def written(*records: Line, generation: int = 1) -> tuple[Entry, ...]:
    return entries(line(one, generation) for one in records)


def ended(key: str, end: End = End.DONE, done: int = 3) -> Ended:
    return Ended(id=key, at="2025-01-02T04:00:00Z", end=end, done=done)


def test_lines_become_applies_and_one_without_an_end_stays_open() -> None:
    first, second = written(began("a", 1), ended("a"), began("b", 2), generation=7)
    assert first == Entry(began=began("a", 1, generation=7), ended=replace(ended("a"), generation=7))
    assert (second.began.id, second.ended) == ("b", None)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_whatever_stands_between_and_wherever_it_was_torn(dirt: bytes, cut: int) -> None:
    whole = line(began("a", 1), 1)
    torn = line(began("b", 2), 1)[: cut % (len(whole) - 1)]
    text = b"\n".join([dirt.replace(b"\n", b""), whole.rstrip(b"\n"), torn, line(ended("a"), 2).rstrip(b"\n"), torn])
    (found,) = [one for one in entries(text.split(b"\n")) if one.began.id == "a"]
    assert found.ended is not None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"kind": "began"}',
        b'{"kind": []}',
        b"[" * 10_000,
        b"\xff",
        b'{"kind": "ended", "id": "a", "at": "", "end": "much"}',
        b" " * (LONGEST + 1) + b"{}",
    ],
)
def test_what_is_no_line(text: bytes) -> None:
    assert read(text) is None


def test_no_line_is_longer_than_what_can_be_read() -> None:
    """Whoever sends it."""
    huge = "\N{PILE OF POO}" * 5000
    many = tuple(Did(action="create", address=f"instance.web-{number}") for number in range(4 * MOST_CHANGES))
    big = began(huge, cloud=huge, plan=huge, version=huge, changes=(*many, Did(action=huge, address=huge)))
    text = line(big, 1)
    found = read(text)
    assert isinstance(found, Began)
    assert (len(found.changes), found.more) == (MOST_CHANGES, 3 * MOST_CHANGES + 1)
    end = line(replace(ended("a"), failures=(huge,) * 1000), 1)
    assert read(end) is not None
    assert max(len(text), len(end)) < LONGEST


def test_the_latest_is_the_last_of_which_anything_may_be_there() -> None:
    """Of each cloud: a host may have been another's."""
    lines: list[Line] = [
        began("a", 1),
        ended("a"),
        began("b", 2),
        ended("b", End.FAILED, done=0),
        began("x", 9, cloud="other"),
    ]
    found = written(*lines)
    assert {cloud: one.at[-3:] for cloud, one in latest(found).items()} == {"demo": "01Z", "other": "09Z"}
    assert [one.began.id for one in of_cloud(found, "demo", 1)] == ["b"]
    assert latest(written(*lines, began("c", 3)))["demo"].at.endswith("03Z")


def test_hosts_that_know_different_parts_are_one_story() -> None:
    """The second heard of no end, the third was out of reach for the last one."""
    whole = written(began("a", 1), ended("a"), began("b", 2), ended("b"), generation=4)
    cut = written(began("a", 1), began("b", 2), generation=5)
    told = merged({"h1": whole, "h2": cut, "h3": whole[:1]})
    assert [one.began.id for one in told] == ["b", "a"]
    assert [one.ended is not None for one in told] == [True, True]
    assert told[0].hosts == {"h1": (4, 4), "h2": (5, None)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_a_file_for_its_owner_alone_that_only_grows(folder: Path) -> None:
    journal = Journal(folder)
    journal.add(began("a", 1), 6)
    path = folder / "journal.jsonl"
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    journal.add(ended("a"), 7)
    assert path.read_bytes().startswith(before)
    (entry,) = Journal(folder).entries()
    assert entry.ended
    assert (entry.began.generation, entry.ended.generation) == (6, 7)
    assert [json.loads(row)["kind"] for row in path.read_bytes().splitlines()] == ["began", "ended"]


def test_a_line_that_was_torn_off_takes_no_other_with_it(folder: Path) -> None:
    journal = Journal(folder)
    journal.add(began("a", 1), 1)
    journal.add(began("b", 2), 1)
    path = folder / "journal.jsonl"
    os.truncate(path, path.stat().st_size - 20)
    journal.add(began("c", 3), 1)
    assert [one.began.id for one in journal.entries()] == ["a", "c"]
    assert latest(journal.recent())["demo"].at.endswith("03Z")


def test_it_does_not_grow_for_ever_and_keeps_the_last_ones(folder: Path) -> None:
    journal = Journal(folder, long=4000)
    for number in range(100):
        journal.add(began(f"{number:03}", number % 60), 1)
        assert sum(path.stat().st_size for path in folder.iterdir()) < 2 * 4000 + 1000
        assert list(latest(journal.recent())) == ["demo"]
    found = [one.began.id for one in journal.entries()]
    assert found == [f"{number:03}" for number in range(100 - len(found), 100)]
    assert len(found) >= 10


def test_what_is_only_half_written_is_taken_back(folder: Path) -> None:
    """As on a full disk: the kernel takes some of the bytes."""
    journal = Journal(folder)
    journal.add(began("a", 1), 1)
    before = (folder / "journal.jsonl").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, limits[1]))
    try:
        with pytest.raises(HostError, match="No space left on device"):
            journal.add(began("b", 2), 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (folder / "journal.jsonl").read_bytes() == before


def test_what_is_no_file_is_refused(folder: Path) -> None:
    journal = Journal(folder)
    journal.add(began("a", 1), 1)
    (folder / "journal.old.jsonl").mkdir()
    with pytest.raises(HostError, match="cannot be read"):
        journal.entries()
    (folder / "journal.old.jsonl").rmdir()
    (folder / "journal.jsonl").unlink()
    (folder / "journal.jsonl").symlink_to("/dev/full")
    with pytest.raises(HostError, match=r"the journal cannot be written in .*"):
        journal.add(began("b", 2), 1)
    assert Journal(folder / "none").entries() == ()
    assert Journal(folder / "none").recent() == ()
