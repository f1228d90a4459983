"""An instance of which a change waits for a person is kept as it was meanwhile: what stops or pauses it is mended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudsync.model.plan import Action
from cloudsync.model.resources import Power
from cloudsync.planner.narrow import quiet
from cloudsync.watch.consent import Consent
from cloudsync.watch.files import Files
from cloudsync.watch.happening import Ending, RoundEnded
from cloudsync.watch.rounds import Rounds
from cloudsync.watch.trigger import Reason, Trigger
from tests.watch.scene import host
from tests.watch.test_resting import AT, RESTING, WEB, crash, running
from tests.watch.watched import SPEC

START, SAVE, LOOK = Trigger(Reason.START), Trigger(Reason.SAVE), Trigger(Reason.INTERVAL)
LESS = SPEC.replace("flavor: small", "flavor: other")
ANEW = SPEC.replace("ab" * 32, "cd" * 32)
GONE = SPEC.replace("  web: {image: blank, flavor: small", "  new: {image: blank, flavor: small")


def _unheard(_: object) -> None:
    """Nobody listens."""


@pytest.fixture
def rounds(spec: Path) -> Iterator[Rounds]:
    it = Rounds(Files(spec), "me@here", 4, _unheard, _unheard, lambda: None, _unheard)
    assert it.run(1, (START,)).ending is Ending.APPLIED
    yield it
    it.close()


def held(found: RoundEnded) -> list[tuple[str, Action]]:
    every = [(one.change.address, one.change.action) for one in found.held]
    return [one for one in every if one[0].startswith("instance.")]


def home(spec: Path) -> str:
    return next(one for one in ("h1", "h2") if any(it.name == "web" for it in host(spec, one).state.machines.values()))


def test_one_that_somebody_pauses_goes_on_while_a_restart_waits(spec: Path, rounds: Rounds) -> None:
    spec.write_text(LESS)
    assert held(rounds.run(2, (SAVE,))) == [(WEB, Action.UPDATE)]
    before = host(spec, home(spec)).state.runs
    crash(spec, "web", power=Power.PAUSED)
    found = rounds.run(3, (LOOK,))
    assert (found.ending, found.mended, held(found)) == (Ending.APPLIED, (WEB,), [(WEB, Action.UPDATE)])
    assert [(one.action, quiet(one)) for one in found.made] == [(Action.REPAIR, True)]
    state = host(spec, home(spec)).state
    (machine,) = state.machines.values()
    assert (machine.power, machine.memory, state.runs) == (Power.RUNNING, 512 << 20, before)
    assert rounds.run(4, (LOOK,)).ending is Ending.QUIET
    assert rounds.run(5, (Consent.KEEPING_DATA.trigger,)).ending is Ending.APPLIED
    assert [one.memory for one in host(spec, home(spec)).state.machines.values()] == [256 << 20]


@pytest.mark.parametrize(("text", "action"), [(ANEW, Action.REPLACE), (GONE, Action.DELETE)])
def test_one_that_crashes_is_started_as_it_was_while_its_end_waits(
    spec: Path, rounds: Rounds, text: str, action: Action
) -> None:
    spec.write_text(text)
    assert (WEB, action) in held(rounds.run(2, (SAVE,)))
    rounds.run(3, (LOOK,))
    crash(spec, "web")
    found = rounds.run(4, (LOOK,))
    assert (found.ending, found.mended) == (Ending.APPLIED, (WEB,))
    assert (WEB, action) in held(found)
    assert "web" in running(spec)
    assert rounds.run(5, (LOOK,)).ending is Ending.QUIET


def test_it_waits_its_turn_for_that_too(spec: Path, rounds: Rounds) -> None:
    spec.write_text(ANEW)
    rounds.run(2, (SAVE,))
    crash(spec, "web")
    found = rounds.run(3, (LOOK,), RESTING)
    assert (found.ending, held(found), running(spec)) == (Ending.QUIET, [(WEB, Action.REPLACE)], set())
    assert [(one.address, one.at) for one in found.resting] == [(WEB, AT)]


def test_a_drained_host_starts_what_still_is_there(spec: Path, rounds: Rounds) -> None:
    here = home(spec)
    spec.write_text(SPEC.replace(f"  {here}: {{uri", f"  {here}: {{state: drained, uri"))
    assert held(rounds.run(2, (SAVE,))) == [(WEB, Action.MOVE)]
    crash(spec, "web", power=Power.PAUSED)
    found = rounds.run(3, (LOOK,))
    assert (found.mended, held(found), home(spec)) == ((WEB,), [(WEB, Action.MOVE)], here)
    assert running(spec) == {"web"}
