"""Each line of JSON follows its schema, says what happened, and no secret."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cloudsync.apply.events import Failed, Progressed, Skipped
from cloudsync.model.step import StartInstance
from cloudsync.render.paint import Paint
from cloudsync.watch.consent import Consent
from cloudsync.watch.happening import Beat, Ended, Ending, Happening, RoundEnded, Stepped
from cloudsync.watch.lines import line
from cloudsync.watch.screen import keys
from cloudsync.watch.trigger import Reason, Trigger
from cloudsync.watch.words import Words
from tests.house.promised import broken
from tests.watch.watched import SPEC, save, watched

AT = "2026-01-01T00:00:00.000000Z"
PHRASE = "swordfish"
HIDDEN = SPEC.replace("flavor: small,", f'flavor: other, user_data: "#!/bin/sh\\necho {PHRASE}\\n",')


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Happening]]:
    """A first apply, a broken save, a change with a secret that waits, and is agreed to, and the end."""
    spec = tmp_path_factory.mktemp("lines") / "cloud.yaml"
    spec.write_text(SPEC)
    with watched(spec) as it:
        everything: list[Happening] = []

        def hear(happening: Happening) -> None:
            everything.append(happening)

        it.watch.observers = (hear, *it.watch.observers)
        it.next()
        save(spec, HIDDEN + f"  bad: {{password: {PHRASE}}}\n")
        while it.next().ending is not Ending.BROKEN:
            continue
        save(spec, HIDDEN)
        while not it.next().held:
            continue
        it.watch.hear(Consent.KEEPING_DATA.trigger)
        while it.next().held:
            continue
    yield everything


def lines(told: list[Happening]) -> list[dict[str, Any]]:
    return [found for one in told if (found := line(one, AT))]


def test_every_line_follows_the_schema(told: list[Happening]) -> None:
    step = StartInstance(id="h1/instance.web/start", host="h1", address="instance.web", uuid="u")
    more: list[Happening] = [
        Stepped(1, Failed(step, "no", "do this")),
        Stepped(1, Skipped(step, "that failed")),
        Ended(True),
    ]
    found = lines([*told, *more])
    assert {one["event"] for one in found} == {"round-began", "planned", "step", "round-ended", "ended"} | (
        {"ready"} & {one["event"] for one in found}
    )
    for one in found:
        assert broken(one, "watch") == [], one


def test_what_is_no_news_has_no_line() -> None:
    step = StartInstance(id="h1/instance.web/start", host="h1", address="instance.web", uuid="u")
    assert lines([Beat(), Stepped(1, Progressed(step, "half"))]) == []


def test_no_secret_is_told(told: list[Happening]) -> None:
    assert PHRASE not in json.dumps(lines(told))
    words, said = Words(Paint(False)), []
    for one in told:
        words, text = words.after(one)
        said += [text, words.now]
    assert PHRASE not in "\n".join(said)
    assert any("held: update instance.web (restart)" in one for one in said)


def test_a_person_is_told_why_and_what_and_how_things_stand(told: list[Happening]) -> None:
    words = Words(Paint(False))
    ended = RoundEnded(
        number=1,
        triggers=(Trigger(Reason.SAVE, "cloud.yaml"),),
        ending=Ending.FAILED,
        seconds=0.25,
        message="host h1: no\nroom",
        hint="make some",
        silent=("h2",),
        again=4.0,
    )
    words, said = words.after(ended)
    assert said == "save (cloud.yaml): failed in 0.25 s: host h1: no\nroom\nmake some"
    assert words.now == "failed, no answer from h2, again in 4 s"
    assert words.after(ended)[1] == "", "the same failure is told once"


def test_an_interval_that_finds_nothing_says_nothing() -> None:
    quiet = RoundEnded(number=1, triggers=(Trigger(Reason.INTERVAL),), ending=Ending.QUIET, seconds=0.1)
    assert Words(Paint(False)).after(quiet)[1] == ""


def test_keys_that_mean_nothing_now_are_not_shown(told: list[Happening]) -> None:
    held = next(one.held for one in told if isinstance(one, RoundEnded) and one.held)
    assert keys(()) == "   [q ends]"
    assert keys(held) == "   [a applies what waits  q ends]"


def test_the_words_of_hosts_act_on_no_terminal() -> None:
    evil = RoundEnded(
        number=1,
        triggers=(Trigger(Reason.EVENT, "web\x1b[2J"),),
        ending=Ending.FAILED,
        seconds=0.1,
        message="\x1b[31mno",
    )
    assert "\x1b" not in Words(Paint(False)).after(evil)[1]
