"""`status`: hosts, instances, health, drift, and what is deployed."""

import json
from pathlib import Path

from cloudsync.cli.exits import Exit
from cloudsync.cli.formats import one_of
from cloudsync.cli.say import out, say
from cloudsync.cli.store import save_snapshot
from cloudsync.hosts.fleet import Fleet
from cloudsync.model.problem import CloudsyncError
from cloudsync.render import status as render
from cloudsync.spec.words import printable


def run(path: Path, address: str | None, style: str, save: Path | None) -> int:
    """Show everything, or one instance or host. 1 when no host answers, after showing why."""
    from cloudsync.spec.load import load

    one_of(style, "text", "json")
    cloud = load(path)
    with Fleet.open(cloud) as fleet:
        snapshot = fleet.observe()
    if save:
        save_snapshot(snapshot, save)
        say(f"saved; plan against it with: cloudsync -f {path} plan --snapshot {save}")
    if address:
        _one(render.document(cloud, snapshot), address, style)
    elif style == "json":
        out(json.dumps(render.document(cloud, snapshot), indent=2))
    else:
        out(render.text(cloud, snapshot))
    usable = any(host.reachable for host in snapshot.hosts.values())
    return Exit.DONE if usable or not snapshot.hosts else Exit.FAILED


def _one(document: dict[str, object], address: str, style: str) -> None:
    kind, dot, name = address.partition(".")
    section = "hosts" if dot and kind == "host" else "instances"
    rows = document[section]
    wanted = name if dot and kind in ("host", "instance") else address
    row = next((row for row in rows if row["name"] == wanted), None) if isinstance(rows, list) else None
    if row is None:
        raise CloudsyncError(f"there is no {address}", "`cloudsync status` lists what there is")
    if style == "json":
        out(json.dumps(row, indent=2))
        return
    width = max(len(key) for key in row)
    out("\n".join(f"{key.ljust(width)}  {_flat(value)}" for key, value in row.items()))


def _flat(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_flat(item) for item in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(item)}" for key, item in value.items())
    return printable(str(value))
