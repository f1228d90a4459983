"""Commands about one kind of thing: `keypair …`, `host …`. Each body imports its work, so that `--help` stays quick."""

from pathlib import Path
from typing import Annotated

import typer

from cloudsync.cli import checked
from cloudsync.cli.options import AllowDestroy, AutoApprove, Format, MaxDisruption, Older, Options, Pair

keypair = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Key pairs: create, import, list.")
host = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Hosts: check, setup, list, drain, rebalance.")


@host.command("check")
def host_check(style: Format = "text") -> None:
    """Show whether this machine can be a host, and why not."""
    from cloudsync.cli.fit import check

    raise typer.Exit(check(style))


@host.command("setup")
def host_setup(
    auto_approve: AutoApprove = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take it all away again; Debian's packages stay.")] = False,
) -> None:
    """Make this machine a host: show the commands that do, ask, run them as root."""
    from cloudsync.cli.fit import setup, undone

    raise typer.Exit(undone(auto_approve) if undo else setup(auto_approve))


@host.command("drain")
def host_drain(
    name: Annotated[str, typer.Argument(callback=checked.by(checked.host))],
    undo: Annotated[
        bool, typer.Option("--undo", help="Let it have instances again; none comes back by itself.")
    ] = False,
    auto_approve: AutoApprove = False,
    allow_destroy: AllowDestroy = False,
    max_disruption: MaxDisruption = None,
    force: Older = False,
) -> None:
    """Write `state: drained` into the spec and move everything to other hosts."""
    from cloudsync.cli.apply import Wishes
    from cloudsync.cli.drain import drain

    wishes = Wishes(auto_approve, allow_destroy, max_disruption, wait=False, timeout=0, parallelism=4, force=force)
    raise typer.Exit(drain(Options.file, name, undo, wishes))


@host.command("list")
def host_list(style: Format = "text") -> None:
    """Show what each host has, what is taken of it, and how full it is."""
    from cloudsync.cli.hosts import listed

    raise typer.Exit(listed(Options.file, style))


@host.command("rebalance")
def host_rebalance(style: Format = "text") -> None:
    """Propose moves that would serve the cloud's strategy better; none is made."""
    from cloudsync.cli.hosts import rebalanced

    raise typer.Exit(rebalanced(Options.file, style))


@keypair.command("create")
def keypair_create(
    name: Pair,
    kind: Annotated[str, typer.Option("--type", metavar="ed25519|rsa", help="What to make.")] = "ed25519",
    out: Annotated[Path | None, typer.Option("--out", help="Where the private key goes.")] = None,
) -> None:
    """Make a key pair: the public half into the spec, the private one 0600 outside the repository."""
    from cloudsync.cli.keypair import create

    create(Options.file, name, kind, out)


@keypair.command("import")
def keypair_import(
    name: Pair,
    file: Annotated[Path, typer.Argument(help="A public key, or - for standard input.")],
) -> None:
    """Put an existing public key into the spec."""
    from cloudsync.cli.keypair import import_key

    import_key(Options.file, name, file)


@keypair.command("list")
def keypair_list(style: Format = "text") -> None:
    """Show the key pairs with fingerprints and who uses which."""
    from cloudsync.cli.keypair import show

    show(Options.file, style)
