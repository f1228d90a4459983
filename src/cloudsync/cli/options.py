"""Options that several commands have, and what stands before the command."""

from pathlib import Path
from typing import Annotated

import typer

from cloudsync.cli import checked

Format = Annotated[str, typer.Option("--format", metavar="text|json", help="How to show it.")]
Report = Annotated[str, typer.Option("--format", metavar="text|json|markdown|html", help="How to show it.")]
Replace = Annotated[
    list[str] | None,
    typer.Option(
        "--replace",
        metavar="ADDRESS",
        callback=checked.by(checked.instance),
        help="Make this instance anew, from its image; repeatable.",
    ),
]
Target = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="ADDRESS",
        callback=checked.by(checked.address),
        help="Only this, and what it refers to; repeatable.",
    ),
]
Evacuate = Annotated[
    list[str] | None,
    typer.Option(
        "--evacuate",
        metavar="HOST",
        callback=checked.by(checked.host),
        help="Give an unreachable host up; later remove what is left on it.",
    ),
]
AutoApprove = Annotated[bool, typer.Option("-y", "--auto-approve", help="Do not ask.")]
AllowDestroy = Annotated[bool, typer.Option("--allow-destroy", help="With -y: disks may be destroyed.")]
AllowMassDelete = Annotated[
    bool, typer.Option("--allow-mass-delete", help="With -y: most of a group, or of all, may go or be made anew.")
]
MaxDisruption = Annotated[
    str | None,
    typer.Option(
        "--max-disruption",
        metavar="CLASS",
        callback=checked.by(checked.disruption),
        help="Refuse a plan that disturbs more.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Pull the plug, ask no guest.")]
Older = Annotated[bool, typer.Option("--force", help="Apply a spec that is older than what is deployed, or may be.")]
Sign = Annotated[Path | None, typer.Option("--sign", metavar="KEY", help="Sign what is saved with this OpenSSH key.")]
Signers = Annotated[
    Path | None, typer.Option("--allowed-signers", metavar="FILE", help="Take only what one of these has signed.")
]
Metrics = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="ADDRESS:PORT",
        callback=checked.by(checked.listening),
        help="Where Prometheus may read metrics [nowhere].",
    ),
]
Machine = Annotated[str, typer.Argument(callback=checked.by(checked.instance), help="The instance.")]
Pair = Annotated[str, typer.Argument(callback=checked.by(checked.keypair), help="Its name in the spec.")]
Address = Annotated[
    str | None,
    typer.Argument(callback=checked.by(checked.address), help="KIND.NAME or an instance's NAME."),
]
Span = Annotated[
    str,
    typer.Argument(
        metavar="[BASE[..HEAD]]", callback=checked.by(checked.span), help="Commits; without HEAD the files here."
    ),
]
From = Annotated[
    str,
    typer.Argument(
        metavar="FROM", callback=checked.by(checked.end), help="KIND.NAME, an instance's NAME, internet, a CIDR."
    ),
]
To = Annotated[str, typer.Argument(metavar="TO", callback=checked.by(checked.end), help="The same.")]
Lost = Annotated[
    list[str] | None,
    typer.Option(
        "--what-if-lost",
        metavar="HOST",
        callback=checked.by(checked.host),
        help="Where its instances would go if it died.",
    ),
]
Parallelism = Annotated[int, typer.Option("--parallelism", min=1, max=64, help="Steps at once.")]


class Options:
    """What stands before the command."""

    file = Path("cloud.yaml")
