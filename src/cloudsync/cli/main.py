"""The `cloudsync` command: what can be typed. Each body imports its work, so that `--help` stays quick."""

import gc
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cloudsync.cli import checked, lasting, nouns, verbs
from cloudsync.cli.end import code_of, typed
from cloudsync.cli.narrow import narrowed
from cloudsync.cli.options import (
    Address,
    AllowDestroy,
    AllowMassDelete,
    AutoApprove,
    Evacuate,
    Format,
    From,
    Lost,
    MaxDisruption,
    Metrics,
    Older,
    Options,
    Parallelism,
    Replace,
    Report,
    Sign,
    Signers,
    Span,
    Target,
    To,
)
from cloudsync.cli.say import fit_for

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True)
app.add_typer(verbs.app)
app.add_typer(lasting.app)
app.add_typer(nouns.keypair, name="keypair")
app.add_typer(nouns.host, name="host")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from cloudsync.cli.say import out

        out(f"cloudsync {version('cloudsync')}")
        raise typer.Exit


@app.callback()
def root(
    file: Annotated[Path | None, typer.Option("-f", "--file", help="The spec [$CLOUDSYNC_FILE, cloud.yaml].")] = None,
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print it and exit.")
    ] = False,
) -> None:
    """One YAML file in Git, reconciled with real libvirt hosts."""
    Options.file = file or Path(os.environ.get("CLOUDSYNC_FILE") or "cloud.yaml")


@app.command()
def init(force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False) -> None:
    """Write a commented starter cloud.yaml for this machine."""
    from cloudsync.cli.starter import write

    write(Options.file, force)


@app.command()
def validate(
    style: Annotated[str, typer.Option("--format", metavar="text|json|github", help="How to show it.")] = "text",
) -> None:
    """Show all problems of the spec with file:line:column."""
    from cloudsync.cli.validate import run

    raise typer.Exit(run(Options.file, style))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the spec."""
    from cloudsync.cli.validate import print_schema

    print_schema()


@app.command()
def plan(
    out: Annotated[Path | None, typer.Option("--out", help="Save the plan, for `apply PLAN`.")] = None,
    style: Report = "text",
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 when there are changes or drift.")
    ] = False,
    target: Target = None,
    replace: Replace = None,
    snapshot: Annotated[
        Path | None, typer.Option("--snapshot", help="A saved observation in place of the hosts.")
    ] = None,
    evacuate: Evacuate = None,
    sign: Sign = None,
    allowed_signers: Signers = None,
    what_if_lost: Lost = None,
    absorb: Annotated[
        bool, typer.Option("--absorb", help="Write what drifted into the spec, and show that as a diff.")
    ] = False,
) -> None:
    """Show what apply would do, hosts already chosen."""
    checked.together(sign, out, "--sign signs what --out saves")
    checked.together(allowed_signers, snapshot, "--allowed-signers is for what --snapshot reads")
    if absorb:
        from cloudsync.cli.absorb import run as take_in

        if out or target or replace or evacuate or sign or what_if_lost is not None or style != "text":
            raise typer.BadParameter("--absorb prints a diff: it goes with --snapshot and --detailed-exitcode alone")
        raise typer.Exit(take_in(Options.file, detailed_exitcode, snapshot, allowed_signers))
    if what_if_lost is not None:
        from cloudsync.cli.hosts import lost

        if out or target or detailed_exitcode:
            raise typer.BadParameter("--what-if-lost makes no plan: it goes with --format and --snapshot alone")
        if len(what_if_lost) > 1:
            raise typer.BadParameter("--what-if-lost asks about one host")
        raise typer.Exit(lost(Options.file, what_if_lost[0], style, snapshot))
    from cloudsync.cli.plan import run

    if target and evacuate:
        raise typer.BadParameter("a host is given up with all that it has: --evacuate does not go with --target")
    wished = (replace or [], tuple(evacuate or ()), sign, allowed_signers, tuple(target or ()))
    raise typer.Exit(run(Options.file, out, style, detailed_exitcode, snapshot, *wished))


@app.command()
def apply(
    plan: Annotated[Path | None, typer.Argument(help="A plan saved by `plan --out`.")] = None,
    auto_approve: AutoApprove = False,
    allow_destroy: AllowDestroy = False,
    allow_mass_delete: AllowMassDelete = False,
    max_disruption: MaxDisruption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until cloud-init reports done.")] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=1, help="Seconds that --wait waits.")] = 600,
    parallelism: Parallelism = 4,
    replace: Replace = None,
    evacuate: Evacuate = None,
    force: Older = False,
    allowed_signers: Signers = None,
) -> None:
    """Show the plan, ask, carry it out."""
    checked.together(allowed_signers, plan, "--allowed-signers is for a saved PLAN")
    from cloudsync.cli.apply import Wishes, run

    if plan and (replace or evacuate):
        raise typer.BadParameter("a saved plan is carried out as it is: give --replace and --evacuate to `plan --out`")
    given_up = tuple(evacuate or ())
    limits = (auto_approve, allow_destroy, max_disruption, wait, timeout, parallelism, given_up)
    wishes = Wishes(*limits, allow_mass_delete=allow_mass_delete, force=force, signers=allowed_signers)
    raise typer.Exit(run(Options.file, plan, wishes, replace or []))


@app.command()
def destroy(
    auto_approve: AutoApprove = False,
    allow_destroy: AllowDestroy = False,
    parallelism: Parallelism = 4,
    force: Older = False,
) -> None:
    """Remove everything that the cloud has; same guards."""
    from cloudsync.cli.apply import Wishes, destroy

    wishes = Wishes(auto_approve, allow_destroy, None, False, 0, parallelism, force=force)
    raise typer.Exit(destroy(Options.file, wishes))


@app.command()
def diff(
    span: Span = "HEAD",
    style: Report = "text",
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 when something changes.")
    ] = False,
    snapshot: Annotated[
        Path | None, typer.Option("--snapshot", help="Plan HEAD against this saved observation.")
    ] = None,
    allowed_signers: Signers = None,
) -> None:
    """Show what a change of the spec means, from Git alone."""
    checked.together(allowed_signers, snapshot, "--allowed-signers is for what --snapshot reads")
    from cloudsync.cli.diff import run

    raise typer.Exit(run(Options.file, span, style, detailed_exitcode, snapshot, allowed_signers))


@app.command()
def status(
    address: Address = None,
    style: Format = "text",
    save: Annotated[Path | None, typer.Option("--save", help="Write a snapshot for `plan --snapshot`.")] = None,
    sign: Sign = None,
) -> None:
    """Show hosts, instances, health, drift, and what is deployed."""
    checked.together(sign, save, "--sign signs what --save writes")
    from cloudsync.cli.status import run

    raise typer.Exit(run(Options.file, address, style, save, sign))


@app.command()
def history(
    address: Address = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, of the last ones.")] = 20,
    style: Format = "text",
) -> None:
    """Show who applied which commit when, and how that ended."""
    from cloudsync.cli.history import run

    raise typer.Exit(run(Options.file, address, limit, style))


@app.command()
def reach(
    source: From,
    target: To,
    service: Annotated[str | None, typer.Argument(metavar="[PROTO/PORT]", help="Such as tcp/443, icmp.")] = None,
    live: Annotated[bool, typer.Option("--live", help="From the rules that the hosts' kernels hold.")] = False,
    style: Format = "text",
) -> None:
    """Say whether it can connect, and which rule says so."""
    from cloudsync.cli.reach import run

    raise typer.Exit(run(Options.file, (source, target), service, live, style))


@app.command()
def graph(
    style: Annotated[str, typer.Option("--format", metavar="svg|dot|mermaid", help="How to draw it.")] = "svg",
    to: Annotated[Path | None, typer.Option("--out", help="A file for it [standard output].")] = None,
) -> None:
    """Draw who may talk to whom, in which network, on which host."""
    from cloudsync.cli.graph import run

    raise typer.Exit(run(Options.file, style, to))


@app.command()
def doctor(
    style: Format = "text",
    fix: Annotated[bool, typer.Option("--fix", help="Run the shown commands on this machine, as root.")] = False,
    yes: Annotated[bool, typer.Option("-y", "--auto-approve", help="With --fix: do not ask.")] = False,
) -> None:
    """Show what is wrong between here and the hosts, in order, with the fix for each."""
    from cloudsync.cli.doctor import run

    raise typer.Exit(run(Options.file, style, fix, yes))


@app.command()
def agent(
    socket: Annotated[Path, typer.Option(help="Where to listen.")] = Path("/run/cloudsync/agent.sock"),
    state: Annotated[Path, typer.Option(help="Where the host document is kept.")] = Path("/var/lib/cloudsync/agent"),
    pool: Annotated[Path, typer.Option(help="Disks and images.")] = Path("/var/lib/cloudsync/pool"),
    run: Annotated[Path, typer.Option(help="Runtime files.")] = Path("/run/cloudsync"),
    metadata_port: Annotated[int, typer.Option(min=1, max=65535, help="The metadata service's port.")] = 8775,
    uninstall: Annotated[
        bool, typer.Option("--uninstall", help="Remove this host's tables, rules and processes, then exit.")
    ] = False,
    metrics: Metrics = None,
    early: Annotated[
        bool, typer.Option("--guard", help="Load the stored rules, or none that lets guests through, then exit.")
    ] = False,
) -> None:
    """Run the host daemon in the foreground."""
    from cloudsync.cli.agent import guard, serve, uninstall_parts

    if early:
        raise typer.Exit(guard(socket, state, pool, run, metadata_port))
    if uninstall:
        raise typer.Exit(uninstall_parts(socket, run, state))
    raise typer.Exit(serve(socket, state, pool, run, metadata_port, metrics))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; nobody sees a traceback."""
    # A command is over before there is garbage worth collecting, and no plugin of pydantic's is wanted: 8 % of a plan.
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    fit_for(sys.stdout)
    words = sys.argv[1:] if arguments is None else arguments
    raise SystemExit(code_of(lambda: typed(narrowed(app, words), words)))


if __name__ == "__main__":
    main()
