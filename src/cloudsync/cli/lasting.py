"""Commands that go on until somebody ends them. Each body imports its work, so that `--help` stays quick."""

from typing import Annotated

import typer

from cloudsync.cli.options import Options, Parallelism

app = typer.Typer(rich_markup_mode=None)


@app.command()
def watch(
    every: Annotated[
        str | None, typer.Option("--every", metavar="TIME", help="Look for drift as often (60s, 5m), and repair it.")
    ] = None,
    style: Annotated[
        str | None, typer.Option("--format", metavar="text|json", help="[a screen on a terminal, else json]")
    ] = None,
    parallelism: Parallelism = 4,
) -> None:
    """On save, apply what disturbs nothing; hold and show the rest."""
    from cloudsync.cli.watch import run

    raise typer.Exit(run(Options.file, every, style, parallelism))
