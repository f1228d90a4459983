"""`history`: the applies that the hosts have written down, as one list."""

import json
from pathlib import Path

from cloudsync.cli.exits import Exit
from cloudsync.cli.formats import one_of
from cloudsync.cli.say import out, say
from cloudsync.hosts.fleet import Fleet
from cloudsync.model.address import Address, Kind
from cloudsync.model.journal import merged
from cloudsync.model.problem import CloudsyncError
from cloudsync.render import history as render

_ALL = 100_000


def run(path: Path, address: str | None, limit: int, style: str) -> int:
    """Show the last `limit` applies, or those that changed what has one address. What a host that cannot be asked has
    is on the others too; 1 when there are no others."""
    from cloudsync.spec.load import load

    one_of(style, "text", "json")
    cloud = load(path)
    with Fleet.open(cloud) as fleet:
        journals, silent = fleet.journals(limit if address is None else _ALL)
    told, wanted = merged(journals), None if address is None else str(_parsed(address))
    if wanted is not None:
        told = tuple(one for one in told if render.about(one, wanted))
    told = told[:limit]
    if style == "json":
        out(json.dumps(render.document(cloud.name, told, silent), indent=2))
    else:
        out(render.text(told, wanted))
    for name, error in silent.items():
        say(f"warning: host.{name} was not asked: {error.message}" + (f"\nhint: {error.hint}" if error.hint else ""))
    return Exit.DONE if journals or not cloud.hosts else Exit.FAILED


def _parsed(address: str) -> Address:
    """The kind of an instance may be left out; what is gone from the spec has a history too."""
    try:
        return Address.parse(address)
    except ValueError:
        pass
    try:
        return Address.parse(f"{Kind.INSTANCE.value}.{address}")
    except ValueError:
        raise CloudsyncError(
            f"{address} is no address", "write KIND.NAME, such as instance.web or host.kvm-1"
        ) from None
