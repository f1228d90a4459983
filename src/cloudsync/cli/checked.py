"""Words that mean nothing whatever the spec and the hosts say: wrong usage, told before anything is read.

Callbacks of options and arguments; what a word names, and is not there, is for the commands to say.
"""

import re
from collections.abc import Callable
from typing import Any

import typer

from cloudsync.model.problem import CloudsyncError

_INSTANCE = "instance."
_KINDS = ("host.", "image.", "network.", "keypair.", "group.", _INSTANCE)


def by(read: Callable[[str], object]) -> Callable[[Any], Any]:
    """A callback that takes what `read` takes, as it is: one word, several, or none."""

    def checked(given: Any) -> Any:
        for word in [given] if isinstance(given, str) else given or ():
            try:
                read(word)
            except (CloudsyncError, ValueError) as error:
                hint = getattr(error, "hint", "")
                raise typer.BadParameter(f"{error}; {hint}" if hint else str(error)) from None
        return given

    return checked


def duration(word: str) -> None:
    from cloudsync.spec.durations import parse

    parse(word)


def disruption(word: str) -> None:
    from cloudsync.cli.formats import one_of
    from cloudsync.model.plan import Disruption

    one_of(word, *(kind.label for kind in Disruption))


def listening(word: str) -> None:
    from cloudsync.cli.listening import readers

    readers(word)


def branch(word: str) -> None:
    from cloudsync.spec.follow import confirm_branch

    confirm_branch(word)


def program(word: str) -> None:
    from cloudsync.watch.hook import words

    words(word)


def span(word: str) -> None:
    from cloudsync.spec.versions import parted

    parted(word)


def keypair(word: str) -> None:
    from cloudsync.spec.edit import check_name

    check_name(word)


def host(word: str) -> None:
    from cloudsync.spec.names import NAME

    _confirm(word, NAME, f"{word!r} is no host's name")


def instance(word: str) -> None:
    """The kind may be left out."""
    from cloudsync.spec.names import LABEL

    _confirm(word.removeprefix(_INSTANCE), LABEL, f"{word!r} is no instance's name")


def address(word: str) -> None:
    """The same, and everything else by its kind."""
    if not word.startswith(_KINDS) or word.startswith(_INSTANCE):
        from cloudsync.spec.names import LABEL

        name = word.removeprefix(_INSTANCE)
        _confirm(name, LABEL, f"{word!r} is no address: write KIND.NAME, such as instance.web or host.kvm-1")
    elif word in _KINDS:
        raise typer.BadParameter(f"{word!r} names nothing")


def end(word: str) -> None:
    """Of a way through the network."""
    if not word:
        raise typer.BadParameter("an empty word is no end")
    if word[0].isdigit() and "/" in word and ":" not in word:
        from cloudsync.spec.rules import remote

        remote(word)


def together(wanted: object, needed: object, words: str) -> None:
    """Wrong usage where something is wanted that means nothing without something else."""
    if wanted and not needed:
        raise typer.BadParameter(words)


def _confirm(word: str, pattern: str, words: str) -> None:
    if not re.fullmatch(pattern.removesuffix("$"), word):
        raise typer.BadParameter(words)
