"""A round that begins while it is not the turn of a guest that crashed again: all else is done, that guest is not
started, and it is said when it will be."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloudsync.model.plan import Action
from cloudsync.model.resources import Power
from cloudsync.render.paint import Paint
from cloudsync.watch.files import Files
from cloudsync.watch.happening import Ending, RoundEnded
from cloudsync.watch.relapse import Resting
from cloudsync.watch.rounds import Rounds
from cloudsync.watch.trigger import Reason, Trigger
from cloudsync.watch.words import Words
from tests.watch.scene import OPEN, document, doors, host
from tests.watch.watched import SPEC

AT = datetime(2026, 1, 1, 12, 0, 33, tzinfo=UTC)
WEB, DB = "instance.web", "instance.db"
RESTING: Mapping[str, Resting] = {WEB: Resting(WEB, 6, AT)}
BOTH = "  db: {image: blank, flavor: small, security_groups: [default, web]}\n"
SAVE, EVENT = Trigger(Reason.SAVE, "cloud.yaml"), Trigger(Reason.EVENT, "db crashed", DB)


def _unheard(_: object) -> None:
    """Nobody listens."""


@pytest.fixture
def rounds(spec: Path) -> Iterator[Rounds]:
    """Of two instances that run."""
    spec.write_text(SPEC + BOTH)
    it = Rounds(Files(spec), "me@here", 4, _unheard, _unheard, lambda: None, _unheard)
    assert it.run(1, (Trigger(Reason.START),)).ending is Ending.APPLIED
    yield it
    it.close()


def crash(spec: Path, *names: str, power: Power = Power.STOPPED) -> None:
    for one in ("h1", "h2"):
        here = host(spec, one)
        state = here.state
        down = {uuid for uuid, it in state.machines.items() if it.name in names}
        machines = {uuid: replace(state.machines[uuid], power=power) for uuid in down}
        runs = {uuid: run for uuid, run in state.runs.items() if uuid not in down or power is not Power.STOPPED}
        here.state = replace(state, machines={**state.machines, **machines}, runs=runs)


def running(spec: Path) -> set[str]:
    machines = [one for it in ("h1", "h2") for one in host(spec, it).state.machines.values()]
    return {one.name for one in machines if one.power is Power.RUNNING}


def test_another_is_started_and_it_is_not_before_its_turn(spec: Path, rounds: Rounds) -> None:
    crash(spec, "web", "db")
    found = rounds.run(2, (EVENT,), RESTING)
    assert (found.ending, found.mended, found.drift, found.repaired) == (Ending.APPLIED, (DB,), 2, 1)
    assert (found.resting, found.held, running(spec)) == (tuple(RESTING.values()), (), {"db"})
    assert rounds.run(3, (Trigger(Reason.CONFIRM),), RESTING).ending is Ending.QUIET
    found = rounds.run(4, (Trigger(Reason.RETRY, WEB, WEB),))
    assert (found.ending, found.mended, found.resting) == (Ending.APPLIED, (WEB,), ())
    assert running(spec) == {"db", "web"}


def test_one_that_runs_rests_from_nothing(rounds: Rounds) -> None:
    assert rounds.run(2, (Trigger(Reason.INTERVAL),), RESTING).resting == ()


def test_a_save_of_something_else_is_live_at_once_for_it_too(spec: Path, rounds: Rounds) -> None:
    crash(spec, "web")
    spec.write_text(OPEN + BOTH)
    found = rounds.run(2, (SAVE,), RESTING)
    assert [(one.address, one.action) for one in found.made] == [("group.web", Action.UPDATE)]
    assert (found.mended, doors(document(spec)), running(spec)) == ((), 2, {"db"})


def test_what_a_person_changes_of_it_does_not_wait(spec: Path, rounds: Rounds) -> None:
    """That may be what mends it."""
    crash(spec, "web")
    spec.write_text(SPEC.replace("flavor: small", "flavor: other") + BOTH)
    found = rounds.run(2, (SAVE,), RESTING)
    assert [(one.address, one.action) for one in found.made] == [(WEB, Action.UPDATE)]
    assert (found.held, found.resting, running(spec)) == ((), (), {"db", "web"})


def test_a_round_that_comes_to_no_plan_knows_who_rests(spec: Path, rounds: Rounds) -> None:
    crash(spec, "web")
    rounds.run(2, (SAVE,), RESTING)
    spec.write_text("version: 1\nhosts: [")
    found = rounds.run(3, (SAVE,), RESTING)
    assert (found.ending, found.resting) == (Ending.BROKEN, tuple(RESTING.values()))


def test_it_does_not_wait_where_others_would_have_to(spec: Path, rounds: Rounds) -> None:
    """Its record is gone: nothing says how it would be left as it is."""
    crash(spec, "web", "db")
    for name in ("h1", "h2"):
        here = host(spec, name)
        if here.state.document:
            instances = {key: one for key, one in here.state.document.instances.items() if key != "web"}
            here.state = replace(here.state, document=replace(here.state.document, instances=instances))
    found = rounds.run(2, (EVENT,), RESTING)
    assert (found.ending, found.resting, running(spec)) == (Ending.APPLIED, (), {"db", "web"})


def test_it_is_said_once_when_it_is_its_turn() -> None:
    ended = RoundEnded(
        number=2, triggers=(EVENT,), ending=Ending.QUIET, seconds=0.1, drift=1, resting=tuple(RESTING.values())
    )
    words, said = Words(Paint(False)).after(ended)
    at = f"{AT.astimezone():%H:%M:%S}"
    assert f"{WEB} is put right again at {at}: 6 repairs of it did not last\n" in said
    assert words.now == "nothing to do, instance.web rests"
    assert WEB not in words.after(ended)[1]
