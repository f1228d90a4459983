"""Every option and argument of every command: a word that means nothing is wrong usage, whatever the spec says; here
there is none."""

from collections.abc import Iterator

import pytest
import typer

from cloudsync.cli.main import app
from tests.cli.terminal import Terminal
from tests.watch.watched import SPEC

NOTHING = {
    "address": "bogus.x",
    "--evacuate": "no/host",
    "--every": "60",
    "--format": "xml",
    "--git": "main",
    "--limit": "0",
    "--max-disruption": "much",
    "--metadata-port": "70000",
    "--metrics": "9477",
    "--parallelism": "0",
    "--replace": "group.web",
    "--status-hook": "notify 'a",
    "--target": "instance.",
    "--timeout": "soon",
    "--type": "dsa",
    "--what-if-lost": "kvm 1",
    "name": "no/name",
    "service": "tcp/x",
    "source": "10.0.0.0/99",
    "span": "a...b",
    "target": "",
}
"""What each takes for nothing."""

ANYTHING = {
    "--out", "--snapshot", "--sign", "--allowed-signers", "--save", "--status-file", "--socket", "--state", "--pool",
    "--run", "plan", "file", "arguments",
}  # fmt: skip
"""Files may be called anything, and what ssh takes is ssh's."""

FILLED = {"name": "web", "source": "web", "target": "web", "file": "key.pub"}
"""Arguments that have to be there."""

BESIDES = {"--git": (), "--status-hook": ("--git", "origin/main")}


def commands(group: typer.core.TyperGroup, *names: str) -> Iterator[tuple[tuple[str, ...], typer.core.TyperCommand]]:
    for name, one in group.commands.items():
        if isinstance(one, typer.core.TyperGroup):
            yield from commands(one, *names, name)
        elif isinstance(one, typer.core.TyperCommand):
            yield (*names, name), one


def cases() -> Iterator[tuple[str, ...]]:
    """Each command with one word that is wrong, and all others right."""
    root = typer.main.get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    for names, command in commands(root):
        arguments = [one for one in command.params if isinstance(one, typer.core.TyperArgument)]
        needed = {one.name: FILLED[str(one.name)] for one in arguments if one.required}
        for one in command.params:
            if isinstance(one, typer.core.TyperOption) and not one.is_flag:
                word = next(opt for opt in one.opts if opt.startswith("--"))
                if word not in ANYTHING and word != "--help":
                    yield (*names, *needed.values(), *BESIDES.get(word, ()), word, NOTHING[word])
            elif one in arguments and one.name not in ANYTHING:
                wrong = {**needed, str(one.name): NOTHING[str(one.name)]}
                yield (*names, *wrong.values())


@pytest.mark.parametrize("words", [*cases()], ids=" ".join)
def test_what_means_nothing_is_wrong_usage(terminal: Terminal, words: tuple[str, ...]) -> None:
    typed = terminal.type(*words)
    assert typed.code == 64, typed.err
    assert "Usage: cloudsync" in typed.err
    assert typed.out == ""


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("plan", "--nonsense"),
        ("plan", "--sign", "key"),
        ("plan", "--allowed-signers", "file"),
        ("apply", "--allowed-signers", "file"),
        ("diff", "--allowed-signers", "file"),
        ("status", "--sign", "key"),
        ("watch", "--git", "origin/main", "--require-signed"),
        ("diff", "a..b..c"),
        ("keypair", "create", "../key"),
        ("host", "drain", "no/host"),
        ("watch", "--every", "25h"),
        ("watch", "--metrics", ":99"),
        ("watch", "--git", "/main"),
        ("watch", "--git", "origin/main", "--status-hook", ""),
    ],
    ids=" ".join,
)
def test_so_is_what_means_nothing_alone(terminal: Terminal, words: tuple[str, ...]) -> None:
    assert terminal.type(*words).code == 64


def test_what_is_not_there_is_no_wrong_usage(terminal: Terminal) -> None:
    terminal.write(SPEC)
    for words in (
        ("plan", "--target", "group.nope"),
        ("plan", "--replace", "instance.nope"),
        ("plan", "--evacuate", "kvm-9"),
        ("status", "nope"),
        ("start", "nope"),
        ("reach", "nope", "internet"),
        ("diff", "nope..HEAD"),
        ("watch", "--git", "nope/main"),
    ):
        assert terminal.type(*words).code == 1, words
