"""Commands that go on until somebody ends them. Each body imports its work, so that `--help` stays quick."""

from pathlib import Path
from typing import Annotated

import typer

from cloudsync.cli import checked
from cloudsync.cli.options import Metrics, Options, Parallelism, Signers

app = typer.Typer(rich_markup_mode=None)


@app.command()
def watch(
    every: Annotated[
        str | None,
        typer.Option(
            "--every",
            metavar="TIME",
            callback=checked.by(checked.duration),
            help="Look for drift as often (60s, 5m), and repair it.",
        ),
    ] = None,
    style: Annotated[
        str | None, typer.Option("--format", metavar="text|json", help="[a screen on a terminal, else json]")
    ] = None,
    parallelism: Parallelism = 4,
    git: Annotated[
        str | None,
        typer.Option(
            "--git",
            metavar="REMOTE/BRANCH",
            callback=checked.by(checked.branch),
            help="Follow this branch, not the files here.",
        ),
    ] = None,
    require_signed: Annotated[
        bool, typer.Option("--require-signed", help="With --git: only commits that one of --allowed-signers signed.")
    ] = False,
    allowed_signers: Signers = None,
    status_file: Annotated[
        Path | None, typer.Option("--status-file", metavar="FILE", help="With --git: what became of a commit, as JSON.")
    ] = None,
    status_hook: Annotated[
        str | None,
        typer.Option(
            "--status-hook",
            metavar="COMMAND",
            callback=checked.by(checked.program),
            help="With --git: started with the same on its stdin.",
        ),
    ] = None,
    metrics: Metrics = None,
) -> None:
    """On save, apply what disturbs nothing; hold and show the rest."""
    from cloudsync.cli.watch import run

    if git is None:
        if require_signed or allowed_signers or status_file or status_hook:
            raise typer.BadParameter("commits are signed and have a status: that goes with --git REMOTE/BRANCH alone")
        raise typer.Exit(run(Options.file, every, style, parallelism, metrics=metrics))
    unnamed = "--require-signed: nobody is named who may sign; add --allowed-signers FILE, one NAME KEY a line"
    checked.together(require_signed, allowed_signers, unnamed)
    from cloudsync.cli.following import Following

    following = Following(
        branch=git,
        signers=allowed_signers,
        status_file=status_file,
        status_hook=status_hook,
    )
    raise typer.Exit(run(Options.file, every, style, parallelism, following, metrics))
