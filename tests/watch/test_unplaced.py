"""An instance that no host takes is told by every kind of watch, also where nothing else is to be done."""

from pathlib import Path

from cloudsync.render.paint import Paint
from cloudsync.watch.files import Files
from cloudsync.watch.happening import Ending, Happening, Planned, RoundEnded
from cloudsync.watch.lines import line
from cloudsync.watch.rounds import Rounds
from cloudsync.watch.trigger import Reason, Trigger
from cloudsync.watch.words import Words
from tests.house.promised import broken
from tests.watch.scene import OPEN, settled
from tests.watch.watched import SPEC, save, watched

START, INTERVAL = Trigger(Reason.START), Trigger(Reason.INTERVAL)


def huge(text: str) -> str:
    """With an instance that no host has the memory for."""
    wide = text.replace("flavors:\n", "flavors:\n  wide: {vcpus: 1, memory: 900GiB, disk: 4GiB}\n")
    return wide + "  huge: {image: blank, flavor: wide}\n"


def rounds(spec: Path, told: list[Happening]) -> Rounds:
    return Rounds(Files(spec), "me@here", 4, told.append, _unheard, lambda: None, _unheard)


def _unheard(_: object) -> None:
    """Nobody listens."""


def names(one: RoundEnded) -> list[str]:
    return [it.instance for it in one.unplaced]


def test_the_end_of_each_round_has_what_has_no_place_and_why(spec: Path) -> None:
    spec.write_text(huge(SPEC))
    it = rounds(spec, [])
    first, second = it.run(1, (START,)), it.run(2, (INTERVAL,))
    spec.write_text("version: 1\nhosts: [")
    broken = it.run(3, (INTERVAL,))
    spec.write_text(SPEC)
    last = it.run(4, (Trigger(Reason.SAVE),))
    it.close()
    assert [one.ending for one in (first, second, broken, last)] == [
        Ending.APPLIED,
        Ending.QUIET,
        Ending.BROKEN,
        Ending.QUIET,
    ]
    assert [names(one) for one in (first, second, broken, last)] == [["huge"], ["huge"], ["huge"], []]
    assert set(first.unplaced[0].refusals) == {"h1", "h2"}
    assert "900" in first.unplaced[0].refusals["h1"]


def test_a_save_that_is_applied_from_what_is_known_tells_it_too(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        save(spec, huge(OPEN))
        found = it.next()
        assert ([one.address for one in found.made], names(found)) == (["group.web"], ["huge"])
        save(spec, OPEN)
        while names(found):
            found = it.next()


def test_the_lines_have_it_as_their_schema_says(spec: Path) -> None:
    spec.write_text(huge(SPEC))
    told: list[Happening] = []
    it = rounds(spec, told)
    ended = it.run(1, (START,))
    it.close()
    for one in (next(one for one in told if isinstance(one, Planned)), ended):
        found = line(one, "2026-01-01T00:00:00.000000Z")
        assert found and broken(found, "watch") == []
        (left,) = found["unplaced"]
        assert (left["instance"], left["host"], set(left["refusals"])) == ("huge", None, {"h1", "h2"})


def test_a_person_reads_it_once_with_the_reasons_and_sees_that_it_stays_so(spec: Path) -> None:
    spec.write_text(SPEC)
    told: list[Happening] = []
    it = rounds(spec, told)
    it.run(1, (START,))
    spec.write_text(huge(SPEC))
    first, second = it.run(2, (INTERVAL,)), it.run(3, (INTERVAL,))
    spec.write_text(SPEC)
    last = it.run(4, (START,))
    it.close()
    words, said = Words(Paint(False)).after(first)
    assert said.startswith("instance.huge is not placed: h1: ") and "h2: " in said
    assert words.now == "nothing to do, no place for huge"
    words, said = words.after(second)
    assert (words.now, said) == ("nothing to do, no place for huge", "")
    words, said = words.after(last)
    assert (words.now, said.split(" in 0.")[0]) == ("in sync", "start: in sync")


def test_a_plan_that_shows_it_is_not_followed_by_the_same_again(spec: Path) -> None:
    spec.write_text(huge(SPEC))
    told: list[Happening] = []
    it = rounds(spec, told)
    told.append(it.run(1, (START,)))
    it.close()
    words, everything = Words(Paint(False)), ""
    for one in told:
        words, said = words.after(one)
        everything += said + "\n"
    assert everything.count("placed: h1: ") == 1
    assert "start: applied: " in everything and ", no place for huge in 0." in everything
