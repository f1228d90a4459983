"""Words a person may pick from."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from cloudsync.reach.service import Service


REPORTS = ("text", "json", "markdown", "html")
"""What a plan, and a change of the spec, can be shown as."""


def one_of(word: str, *known: str) -> None:
    """Wrong usage, naming what is known, unless `word` is one of them."""
    if word not in known:
        raise typer.BadParameter(f"{word!r} is not one of {', '.join(known)}")


def service(written: str | None) -> "Service":
    """`PROTO/PORT`, everything when it was left out."""
    from cloudsync.reach.service import ANY, parse
    from cloudsync.spec.rules import RuleError

    if written is None:
        return ANY
    try:
        return parse(written)
    except RuleError as error:
        raise typer.BadParameter(f"{error}; {error.hint}" if error.hint else str(error)) from None
