"""Whatever is wrong in a spec is told with its place, its line, and what to do: every value and every key of specs that
show the whole language, written wrongly in every way."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel

from cloudsync.model.problem import Problem, SpecError
from cloudsync.spec import known, models, names, wording
from cloudsync.spec.digests import Digests, cache_path
from cloudsync.spec.document import parse
from cloudsync.spec.files import Folder
from cloudsync.spec.finding import Trail
from cloudsync.spec.load import load_from
from cloudsync.spec.suggest import MANY, did_you_mean
from tests.effort import WORLDS
from tests.spec.miswritten import KEYS, PRIVATE, UNSEEN, WORDS, Span, entries, put, values

HERE = Path(__file__).parent
FEWER = 10
"""One of so many things is tried in every run."""
T = TypeVar("T")
BASES = {one: (HERE / f"{one}.yaml").read_text(encoding="utf-8") for one in ("example", "rest")}
UNSHOWN = re.compile(r'\\n|\bfrob:|\b7:|"":|"a b\*":|x{300}:')
"""On a line that is not shown: a text of which this is not all, or keys that nobody knows."""

REPLACEMENT = re.compile(
    r"(?:write|for example)\s+(?P<bare>[^\s,]+)(?: or .*|,.*)?|did you mean (?P<near>\".*\")\?"
    r"|put it in quotes: (?P<quoted>\".*\")"
)


@lru_cache(maxsize=4096)
def problems(text: str) -> tuple[Problem, ...]:
    document, folder = parse("cloud.yaml", text.encode()), Folder(HERE, HERE, False)
    try:
        load_from(document, folder, HERE / "cloud.yaml", Digests(cache_path()))
    except SpecError as error:
        return error.problems
    return ()


def some(things: list[T], turn: int) -> list[T]:
    """Always the same few, others at every turn; all where much is wanted."""
    return things if WORLDS else things[turn % FEWER :: FEWER]


def wrong_values(base: str, word: str) -> list[tuple[Span, str]]:
    return [(span, put(base, span, word)) for span in some(values(base), [*WORDS.values(), word].index(word))]


def wrong_keys(base: str, change: str) -> list[str]:
    return [KEYS[change](base, entry) for entry in some(entries(base), list(KEYS).index(change))]


@pytest.mark.parametrize("base", BASES)
def test_the_specs_themselves_have_no_problem(base: str) -> None:
    assert problems(BASES[base]) == ()


def test_they_show_every_key_of_the_language() -> None:
    written = {base[slice(*entry.key)] for base in BASES.values() for entry in entries(base)}
    assert known.everywhere() - written == set()


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("base", BASES)
def test_a_wrong_value_is_told_with_what_to_do(base: str, word: str) -> None:
    found = [told(text) for _, text in wrong_values(BASES[base], word)]
    assert sum(found) > len(found) / 2, "hardly any of them was wrong"


@pytest.mark.parametrize("change", KEYS)
@pytest.mark.parametrize("base", BASES)
def test_a_wrong_key_is_told_with_what_to_do(base: str, change: str) -> None:
    assert sum(told(text) for text in wrong_keys(BASES[base], change)) > 0


def told(text: str) -> int:
    """How many problems it has, all of them as they must be."""
    found, lines = problems(text), text.split("\n")
    for one in found:
        assert one.hint.strip(), f"{one}\n{text}"
        assert one.place is not None
        assert 1 <= one.place.line <= len(lines), one
        assert 1 <= one.place.column <= len(lines[one.place.line - 1]) + 1, one
        assert one.source.strip() or UNSHOWN.search(lines[one.place.line - 1]), f"{one}\n{lines[one.place.line - 1]}"
    return len(found)


@pytest.mark.parametrize("word", PRIVATE.values(), ids=PRIVATE)
@pytest.mark.parametrize("base", BASES)
def test_a_private_key_is_never_shown_wherever_it_stands(base: str, word: str) -> None:
    wrong = [text for _, text in wrong_values(BASES[base], word)]
    wrong += [put(BASES[base], one.key, word) for one in some(entries(BASES[base]), len(word))]
    found = [one for text in wrong for one in problems(text)]
    assert [one for one in found if UNSEEN in f"{one.message} {one.hint} {one.source}".lower()] == []
    assert len(found) > len(wrong) / 2


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("base", BASES)
def test_who_writes_what_a_hint_says_is_rid_of_the_problem(base: str, word: str) -> None:
    for span, text in wrong_values(BASES[base], word):
        here = [one for one in problems(text) if at(text, one) == span[0]]
        for one, better in ((one, replacement(one.hint)) for one in here):
            if better:
                again = problems(put(text, (span[0], span[0] + len(word)), better))
                assert [two for two in again if (two.place, two.message) == (one.place, one.message)] == [], one.hint


def at(text: str, one: Problem) -> int:
    assert one.place is not None
    return sum(len(line) + 1 for line in text.split("\n")[: one.place.line - 1]) + one.place.column - 1


def replacement(hint: str) -> str:
    """What a hint says to write, as YAML; empty where it says so in more words than one."""
    found = REPLACEMENT.fullmatch(hint)
    if found is None:
        return ""
    bare = found["bare"] or ""
    plain = bare[:1] in "[" or re.fullmatch(r"-?[0-9.]+|true|false", bare)
    return found["near"] or found["quoted"] or (bare if plain else f'"{bare}"')


def test_what_is_missing_is_shown_for_every_key_that_must_be_there() -> None:
    needed = {
        field.alias or name
        for model in vars(models).values()
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name, field in model.model_fields.items()
        if field.is_required()
    }
    assert needed - wording.EXAMPLES.keys() == set()
    assert {key: hint for key, hint in wording.EXAMPLES.items() if not hint.startswith(f"add  {key}: ")} == {}


def test_every_number_has_limits_that_can_be_said() -> None:
    numbers = {trail for trail, node in leaves() if node.get("type") in ("integer", "number") and "const" not in node}
    assert {("flavors", "name", "vcpus"), ("expect", 0, "allow", "port")} < numbers
    assert {trail for trail in numbers if not known.limits(trail)} == set()
    assert known.limits(("hosts", "a", "overcommit", "disk")) == "more than 0, up to 1000"
    assert known.limits(("instances", "a", "count")) == "0 to 10000"


def leaves() -> Iterator[tuple[Trail, dict[str, Any]]]:
    """Every value of the language that is no mapping of keys, by where it stands."""
    left: list[tuple[Trail, frozenset[str]]] = [((), known.keys(()))]
    while left:
        above, keys = left.pop()
        for key in keys:
            for trail in ((*above, key), (*above, key, "name"), (*above, key, 0)):
                inner = known.keys(trail)
                if inner and len(trail) < 7:
                    left.append((trail, inner))
                yield from ((trail, node) for node in known.nodes(trail))


@pytest.mark.parametrize("pattern", names.WORDS)
@pytest.mark.parametrize("text", ["Web_1", "", "é", "-a-", "a b/c", "..", "x" * 300, "one\ntwo", "\x1b[31m"])
def test_a_name_that_is_proposed_can_be_one(pattern: str, text: str) -> None:
    if re.fullmatch(pattern, text):
        return
    hint = names.better(text, pattern)
    if hint.startswith("for example "):
        assert re.fullmatch(pattern, hint.removeprefix("for example "))
    else:
        assert "shorten it" in hint or "ip link" in hint
    assert hint.isprintable()
    assert "two" not in hint


def test_a_name_is_mended_where_that_is_possible() -> None:
    assert names.better("Web_1", names.LABEL) == "for example web-1"
    assert names.better("Demo.Internal", names.DOMAIN) == "for example demo.internal"
    assert names.better("kvm 1", names.NAME) == "for example kvm-1"


def test_of_many_names_some_are_said() -> None:
    many = [f"image-{index}" for index in range(MANY + 1)]
    assert did_you_mean("zzz", many[:-1]).startswith("known: image-0, image-1, ")
    assert did_you_mean("zzz", many).endswith(f" and {MANY - 4} more")
    assert did_you_mean("image-33", many).startswith("did you mean")
    assert did_you_mean("zzz", many, most=len(many)).endswith(" and image-9")
