"""A spec that shares parts with another one is what it would be by itself, to the last line and column."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cloudsync.model.problem import SpecError
from cloudsync.spec.compose import Map, Seq
from cloudsync.spec.document import Document, parse
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.graft import graft
from cloudsync.spec.repeats import unfold
from cloudsync.spec.versions import Version, versions
from tests.effort import tries
from tests.spec.nearly import edited, lines
from tests.spec.repository import Repository

EXAMPLE = Path(__file__).parent / "example.yaml"


def trails(value: Any, above: Trail = ()) -> Iterator[Trail]:
    yield above
    if isinstance(value, Map | Seq):
        for key, inner in value.items() if isinstance(value, Map) else enumerate(value):
            yield from trails(inner, (*above, key))


def read(text: str, like: Document | None = None) -> object:
    """All that is to be known of it, or why there is none."""
    try:
        return all_of(parse("b", text.encode(), like, share=like is not None))
    except SpecError as error:
        return error.problems


def all_of(found: Document) -> object:
    at = [(trail, found.position(trail), found.position(trail, at_key=True)) for trail in trails(found.root)]
    return repr(found.root), at, found.spots, found.complete


def pairs() -> Iterator[tuple[Document, str]]:
    for seed in range(tries(2500)):
        chance = Random(seed)  # noqa: S311 - the same each time
        before = lines(chance)
        after = edited(chance, before)
        if chance.random() < 0.3:
            before, after = after, before
        try:
            stock = parse("a", ("\n".join(before) + chance.choice(("\n", "", "\n\n"))).encode())
        except SpecError:
            continue
        yield stock, "\n".join(after) + chance.choice(("\n", ""))


def test_it_is_read_as_it_would_be_by_itself() -> None:
    shared = 0
    for stock, text in pairs():
        assert read(text, stock) == read(text), (stock.text, text)
        shared += graft(text, stock) is not None
    assert shared > tries(2500) // 13


def test_what_is_there_again_is_read_as_it_would_be_by_itself() -> None:
    shared = beside = 0
    for stock, text in pairs():
        found = unfold(stock.text)
        if found:
            folded = Document("a", stock.data, stock.text, found.root, composed=found.composed, moved=found.moved)
            assert all_of(folded) == all_of(stock), stock.text
            assert found.composed.nodes == stock.composed.nodes
            assert read(text, folded) == read(text), (stock.text, text)
            shared, beside = shared + 1, beside + (graft(text, folded) is not None)
    assert shared > tries(2500) // 13
    assert beside > tries(2500) // 130


def test_a_secret_is_found_where_entries_say_the_same() -> None:
    """A key that nobody knows may hold one: its lines are not shown."""
    entry = "  {}:\n    image: a\n    flavor: b\n    spell: hunter2\n"
    text = "instances:\n" + "".join(entry.format(name) for name in ("a", "b", "c")) + "#" * 100_000 + "\n"
    shared, alone = (parse("a", text.encode(), share=share) for share in (True, False))
    assert shared.moved
    for name in ("a", "b"):
        finding = Finding(("instances", name, "spell"), "it is unknown", "remove it")
        assert shared.problem(finding) == alone.problem(finding)
        assert "hunter2" not in alone.problem(finding).source


TEXT = "hosts:\n  kvm-1: {uri: 'qemu:///system'}\ninstances:\n  a: {image: a}\n  b:\n    image: b\n  c: {image: c}\n"


def test_what_says_the_same_is_the_same_object() -> None:
    stock = parse("a", TEXT.encode())
    found = parse(
        "b", TEXT.replace("image: b", "flavor: b\n    image: b").replace("hosts:", "\nhosts:").encode(), stock, True
    )
    there, here = stock.root["instances"], found.root["instances"]
    assert (found.root["hosts"]["kvm-1"] is stock.root["hosts"]["kvm-1"], list(here)) == (True, ["a", "b", "c"])
    assert [here[name] is there[name] for name in "abc"] == [True, False, True]
    assert found.position(("instances", "c", "image")) == (9, 14)


def test_what_yaml_1_1_cannot_read_is_shared_too() -> None:
    text = TEXT.replace("'qemu:///system'", "qemu:///system")
    stock, other = parse("a", text.encode()), text.replace("image: b", "image: d")
    assert stock.composed.disguised
    found = graft(other, stock)
    assert found
    assert found.root["hosts"]["kvm-1"] is stock.root["hosts"]["kvm-1"]
    assert read(other, stock) == read(other)
    assert graft(TEXT, stock) is None, "that is no longer so of this one"


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("image: a", "image: &x a").replace("image: c", "image: *x"),
        TEXT.replace("  a: {", "  <<: {z: {image: a}}\n  a: {"),
        TEXT.replace("image: a", "image: !!str a"),
        "---\n" + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT + "  a: {image: a}\n",
    ],
)
def test_where_one_part_can_change_another_nothing_is_shared(text: str) -> None:
    assert graft(text, parse("a", TEXT.encode())) is None
    assert graft(TEXT, parse("a", text.encode())) is None or text.startswith("---") or "\r" in text


def told(version: Version, file: str) -> object:
    cloud = version.cloud and replace(version.cloud, places={})
    places = version.cloud and {key: (one.line, one.column) for key, one in version.cloud.places.items()}
    problems = [(str(one.place).removeprefix(file), one.message, one.hint, one.source) for one in version.problems]
    return cloud, places, problems


@pytest.mark.slow
def test_a_version_beside_another_is_what_it_is_alone(tmp_path: Path) -> None:
    repository, sound = Repository.new(tmp_path / "repo"), 0
    (repository.folder / "keys").mkdir()
    for name in ("keys/ci.pub", "web.cloud-config.yaml"):
        (repository.folder / name).write_bytes((EXAMPLE.parent / name).read_bytes())
    spec, text = repository.folder / "cloud.yaml", EXAMPLE.read_text()
    first = repository.commit(cloud_yaml=text)
    for seed in range(24):
        chance = Random(seed)  # noqa: S311 - the same each time
        repository.commit(cloud_yaml="\n".join(edited(chance, text.split("\n"), 1 + seed % 2)))
        one, other = ("HEAD", first) if seed % 3 else (first, "HEAD")
        beside, alone = versions(spec, f"{one}..{other}")[0], versions(spec, f"{other}..{one}")[1]
        label = f"{alone.commit[:12]}:cloud.yaml"
        assert told(beside, label) == told(alone, str(spec)), seed
        sound += beside.cloud is not None
    assert 5 < sound < 22
