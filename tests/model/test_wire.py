"""Values as JSON: read as fast as may be, and never otherwise than with all patience."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field, replace
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from cloudsync.model import wire
from cloudsync.model.agent_state import AgentState
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Plan
from cloudsync.model.snapshot import Boot, Snapshot
from tests.effort import tries

HOPELESS = st.one_of(
    st.binary(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    ).map(lambda value: json.dumps(value).encode()),
)
KINDS = {
    kind: TypeAdapter(kind)
    for kind in (AgentState, HostDocument, Boot, Plan, Snapshot, tuple[Boot, ...], dict[str, Boot])
}


@dataclass(frozen=True, slots=True)
class Inner:
    number: int
    share: float = 0.5
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outer:
    word: str
    inner: Inner | None = None
    others: tuple[Inner, ...] = ()


INNER = st.builds(
    Inner,
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.frozensets(st.text(), max_size=1),
)
OUTER = st.builds(Outer, st.text(), st.none() | INNER, st.lists(INNER, max_size=3).map(tuple))


@given(OUTER)
def test_it_comes_back_and_any_other_reader_finds_the_same(value: Outer) -> None:
    written = wire.dump(value)
    assert wire.load(Outer, written) == wire.load(Outer, written, unknown="forbid") == value
    assert TypeAdapter(Outer).validate_json(written) == value
    assert wire.load(Outer, TypeAdapter(Outer).dump_json(value)) == value


@given(HOPELESS)
def test_what_is_no_such_value_is_refused_as_pydantic_does(data: bytes) -> None:
    for kind, adapter in KINDS.items():
        try:
            expected = adapter.validate_json(data)
        except ValueError:
            with pytest.raises(ValueError):
                wire.load(kind, data)
        else:
            assert wire.load(kind, data) == expected


def test_what_is_unknown_is_left_out_or_refused_however_deep_it_is() -> None:
    text = b'{"word":"a","inner":{"number":1,"colour":2}}'
    assert wire.load(Outer, text) == Outer("a", Inner(1))
    with pytest.raises(ValueError, match=r"inner.colour"):
        wire.load(Outer, text, unknown="forbid")
    assert wire.load(Outer, b'{ "inner": null, "word": "a" }', unknown="forbid") == Outer("a")


def test_a_digest_is_of_what_is_said_and_not_of_its_order() -> None:
    one, other = {"a": 1, "b": frozenset("xyz")}, {"b": frozenset("zyx"), "a": 1}
    assert wire.digest(one) == wire.digest(other)
    assert wire.digest(Outer("a")) != wire.digest(replace(Outer("a"), word="b"))


@contextmanager
def eager() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def at_once(threads: int) -> list[object]:
    """What that many threads make of the same text, in a kind that nobody has read yet."""

    @dataclass(frozen=True, slots=True)
    class Part:
        number: int
        names: tuple[str, ...] = ()
        share: float = 0.5

    @dataclass(frozen=True, slots=True)
    class Whole:
        word: str
        parts: tuple[Part, ...] = ()
        more: dict[str, Part] = field(default_factory=dict)

    meeting, found = Barrier(threads), list[object]()

    def read() -> None:
        meeting.wait()
        found.append(wire.load(Whole, b'{"word":"a","parts":[{"number":1}]}') == Whole("a", (Part(1),)))

    readers = [Thread(target=read) for _ in range(threads)]
    for one in readers:
        one.start()
    for one in readers:
        one.join()
    return found


@pytest.mark.slow
def test_threads_may_be_the_first_to_read_a_kind_together() -> None:
    """Each time in a process of its own: a crash is its end."""
    wire.load(Outer, wire.dump(Outer("a")))
    with eager():
        for _ in range(tries(500)):
            child = os.fork()
            if child == 0:
                os._exit(0 if at_once(4) == [True] * 4 else 1)
            assert os.waitpid(child, 0)[1] == 0
