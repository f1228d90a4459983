"""Words a person may pick from."""

import typer


def one_of(word: str, *known: str) -> None:
    """Wrong usage, naming what is known, unless `word` is one of them."""
    if word not in known:
        raise typer.BadParameter(f"{word!r} is not one of {', '.join(known)}")
