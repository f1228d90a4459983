"""Commands about one instance: `ssh`, `console`, `logs` and power. Each body imports its work: `--help` stays quick."""

from typing import Annotated

import typer

from cloudsync.cli.options import Force, Format, Machine, Options

app = typer.Typer(rich_markup_mode=None)


@app.command(context_settings={"allow_interspersed_args": False})
def ssh(
    name: Machine,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[OPTION]... [--] [COMMAND]", help="What ssh takes after a host's name, as it is."),
    ] = None,
) -> None:
    """Log in with the host keys that the guest itself reported."""
    from cloudsync.cli.ssh import run

    raise typer.Exit(run(Options.file, name, arguments or []))


@app.command()
def console(name: Machine) -> None:
    """Open its serial console; Ctrl-] leaves it."""
    from cloudsync.cli.console import run

    raise typer.Exit(run(Options.file, name))


@app.command()
def logs(
    name: Machine,
    denied: Annotated[bool, typer.Option("--denied", help="What its groups with log_denied denied lately.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="With --denied: go on as packets are denied.")] = False,
    style: Format = "text",
) -> None:
    """Print what the instance wrote to its serial console, or what was denied to it."""
    from cloudsync.cli.logs import run, run_denied

    if not denied and (follow or style != "text"):
        raise typer.BadParameter("--follow and --format go with --denied")
    if denied:
        run_denied(Options.file, name, follow, style)
    else:
        run(Options.file, name)


@app.command()
def start(name: Machine) -> None:
    """Switch it on now; the spec's `state` stays what is wanted."""
    from cloudsync.cli.power import start as run

    run(Options.file, name)


@app.command()
def stop(name: Machine, force: Force = False) -> None:
    """Switch it off now; the spec's `state` stays what is wanted."""
    from cloudsync.cli.power import stop as run

    run(Options.file, name, force)


@app.command()
def reboot(name: Machine, force: Force = False) -> None:
    """Switch it off and on again, now."""
    from cloudsync.cli.power import reboot as run

    run(Options.file, name, force)
