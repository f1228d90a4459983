"""What is kept from one document to the next never shows: results are those of a fresh start."""

from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.agent.dnsmasq.config import files
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.memo import Memo
from cloudsync.agent.metadata.documents import records
from cloudsync.model.delta import difference, patched
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from tests.firewall.documents import random_document

FOLDER = Path("/run/cloudsync/dnsmasq")


def chain(count: int) -> list[HostDocument]:
    """Documents as an agent gets them one after the other: what two have in common is the same object."""
    found = [random_document(0)]
    for seed in range(1, count):
        following = replace(random_document(seed), generation=seed + 1)
        found.append(patched(found[-1], difference(found[-1], following)))
    return found


def test_a_ruleset_with_memory_is_the_one_without() -> None:
    memo = Memo()
    for document in chain(150):
        memo.turn()
        made, fresh = compile_document(document, 8775, memo), compile_document(document, 8775)
        assert made == fresh
        assert dict(made.owners) == dict(fresh.owners)


def test_dnsmasqs_files_with_memory_are_those_without() -> None:
    memo = Memo()
    for document in chain(150):
        memo.turn()
        assert files(document, FOLDER, "nobody", memo) == files(document, FOLDER, "nobody")


def test_metadata_records_with_memory_are_those_without() -> None:
    memo = Memo()
    for number, document in enumerate(chain(150)):
        memo.turn()
        given = {one.uuid: b"%d" % (number // 3) for one in document.instances.values()}
        for passwords in ({}, given):
            assert _records(document, passwords, memo) == _records(document, passwords, None)


def _records(document: HostDocument, passwords: dict[str, bytes], memo: Memo | None) -> object:
    try:
        return records(document, passwords, memo)
    except HostError as error:
        return error.message


class Thing:
    """Two are never the same."""


def test_things_are_known_by_what_they_are_not_by_what_they_look_like() -> None:
    memo = Memo()
    made: list[Thing] = []
    one, other = Thing(), Thing()
    for thing in (one, one, other, one):
        memo.of((thing,), made.append, thing)
    assert made == [one, other]


def test_what_two_turns_did_not_ask_for_is_forgotten() -> None:
    memo = Memo()
    made: list[int] = []
    one = Thing()
    memo.of((one,), made.append, 1)
    memo.turn()
    memo.of((one,), made.append, 2)
    memo.turn()
    memo.turn()
    memo.of((one,), made.append, 3)
    assert made == [1, 3]


def test_of_a_map_only_new_things_are_made_and_all_when_the_basis_is_another() -> None:
    memo = Memo()
    made: list[str] = []
    basis, one, other = Thing(), Thing(), Thing()

    def make(key: str, thing: Thing, word: str) -> str:
        made.append(key)
        return f"{word} {key}"

    assert memo.each((basis,), make, {"a": one, "b": one}, "x") == {"a": "x a", "b": "x b"}
    assert memo.each((basis,), make, {"b": other, "c": one}, "x") == {"b": "x b", "c": "x c"}
    assert memo.each((Thing(),), make, {"c": one}, "y") == {"c": "y c"}
    assert made == ["a", "b", "b", "c", "c"]


def test_of_a_map_what_becomes_none_is_left_out_and_comes_back() -> None:
    memo = Memo()

    def make(_key: str, thing: int) -> int | None:
        return thing if thing > 0 else None

    assert memo.each((), make, {"a": 2, "b": -1}) == {"a": 2}
    assert memo.each((), make, {"a": -3, "b": 4}) == {"b": 4}
    assert memo.each((), make, {"b": -1}) == {}


def test_a_map_whose_making_failed_is_made_again() -> None:
    memo = Memo()

    def make(_key: str, thing: int) -> int:
        return 6 // thing

    with pytest.raises(ZeroDivisionError):
        memo.each((), make, {"a": 2, "b": 0})
    assert memo.each((), make, {"a": 2, "b": 3}) == {"a": 3, "b": 2}
