"""`status`: hosts, instances, health, drift, and what is deployed."""

import json
from pathlib import Path
from typing import Any

from cloudsync.cli.exits import Exit
from cloudsync.cli.formats import one_of
from cloudsync.cli.say import out, say
from cloudsync.cli.store import save_snapshot
from cloudsync.hosts.fleet import Fleet
from cloudsync.model.address import Address, Kind
from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import Snapshot
from cloudsync.render import status as render
from cloudsync.spec.words import printable

_SECTIONS = ("hosts", "instances", "resources")


def run(path: Path, address: str | None, style: str, save: Path | None, key: Path | None = None) -> int:
    """Show everything, or what has one address. 1 when no host answers, after showing why."""
    from cloudsync.spec.load import load

    one_of(style, "text", "json")
    cloud = load(path)
    with Fleet.open(cloud) as fleet:
        snapshot = fleet.observe()
    if save:
        save_snapshot(snapshot, save, key)
        say(f"saved; plan against it with: cloudsync -f {path} plan --snapshot {save}")
    document = render.document(cloud, snapshot)
    if address:
        document = _narrowed(document, cloud, snapshot, address)
    if style == "json":
        out(json.dumps(document, indent=2))
    elif address:
        out("\n\n".join(_lines(row) for section in _SECTIONS for row in document.get(section, ())))
    else:
        out(render.text(cloud, snapshot))
    usable = any(host.reachable for host in snapshot.hosts.values())
    return Exit.DONE if usable or not snapshot.hosts else Exit.FAILED


def _narrowed(document: dict[str, Any], cloud: Cloud, snapshot: Snapshot, address: str) -> dict[str, Any]:
    """The document with nothing in it but what `address` names; the kind of an instance may be left out."""
    try:
        wanted = Address.parse(address)
    except ValueError:
        wanted = Address(Kind.INSTANCE, address)
    if wanted.kind in (Kind.HOST, Kind.INSTANCE):
        section = f"{wanted.kind}s"
        rows = [row for row in document[section] if row["name"] == wanted.name]
    else:
        from cloudsync.render.resource import resource

        section = "resources"
        found = resource(cloud, snapshot, wanted)
        rows = [found] if found else []
    if rows:
        return {**document, "hosts": [], "instances": [], section: rows}
    if wanted.kind is Kind.INSTANCE and wanted.name in cloud.instances:
        raise CloudsyncError(f"{wanted} is in the spec, and not there yet", f"cloudsync -f {cloud.path} apply")
    raise CloudsyncError(f"there is no {address}", "`cloudsync status` lists what there is")


def _lines(row: dict[str, object]) -> str:
    width = max(len(key) for key in row)
    return "\n".join(f"{key.ljust(width)}  {_flat(value)}" for key, value in row.items())


def _flat(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_flat(item) for item in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(item)}" for key, item in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "?" if value is None else printable(str(value))
