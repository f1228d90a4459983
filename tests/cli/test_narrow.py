"""The one command that is typed is there, and all of them where that is not plain."""

import pytest

from cloudsync.cli.main import app
from cloudsync.cli.narrow import narrowed


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["plan"], ["plan"]),
        (["-f", "plan", "ssh", "--help"], ["ssh"]),
        (["--file", "x.yaml", "watch"], ["watch"]),
    ],
)
def test_only_what_is_typed_is_made(words: list[str], left: list[str]) -> None:
    found = narrowed(app, words)
    assert [one.callback.__name__ for one in found.registered_commands if one.callback] == left
    assert found.registered_groups == []
    assert found.registered_callback is app.registered_callback


@pytest.mark.parametrize("words", [[], ["--help"], ["-fplan", "apply"], ["plna"], ["keypair", "list"], ["-f", "plan"]])
def test_else_all_are_there(words: list[str]) -> None:
    assert narrowed(app, words) is app


def test_making_one_takes_nothing_from_the_next() -> None:
    narrowed(app, ["plan"])
    assert narrowed(app, ["apply"]) is not app
    assert len(app.registered_commands) > 1
