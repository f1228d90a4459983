"""`host list`, `host rebalance` and `plan --what-if-lost`: the fleet as the scheduler sees it."""

import json
from pathlib import Path

from cloudsync.cli.exits import Exit
from cloudsync.cli.formats import one_of
from cloudsync.cli.say import out
from cloudsync.cli.store import load_snapshot
from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import Snapshot
from cloudsync.pipeline import observe
from cloudsync.render import hosts, loss


def listed(path: Path, style: str) -> int:
    """Capacity, use and load of every host; 1 when none answers, after showing why."""
    from cloudsync.hosts.fleet import Fleet

    cloud = _spec(path, style)
    with Fleet.open(cloud) as fleet:
        snapshot = fleet.observe()
    out(json.dumps(hosts.document(cloud, snapshot), indent=2) if style == "json" else hosts.text(cloud, snapshot))
    usable = any(host.reachable for host in snapshot.hosts.values())
    return Exit.DONE if usable or not snapshot.hosts else Exit.FAILED


def rebalanced(path: Path, style: str) -> int:
    """Moves that would even out, or pack, what is there."""
    from cloudsync.scheduler.loss import living
    from cloudsync.scheduler.rebalance import rebalance

    cloud = _spec(path, style)
    snapshot = _observed(cloud, None)
    moves = rebalance(cloud, snapshot, living(cloud, snapshot))
    shown = loss.moves_document(cloud, moves) if style == "json" else None
    out(json.dumps(shown, indent=2) if shown else loss.moves_text(cloud, moves))
    return Exit.DONE


def lost(path: Path, host: str, style: str, snapshot_file: Path | None) -> int:
    """Where the instances of a host would go if it died; 1 when some would have no home."""
    from cloudsync.scheduler.loss import lost as lose
    from cloudsync.scheduler.place import place

    cloud = _spec(path, style)
    name = host.removeprefix("host.")
    if name not in cloud.hosts:
        raise CloudsyncError(f"there is no host {host}", f"hosts: {', '.join(sorted(cloud.hosts))}")
    snapshot = _observed(cloud, snapshot_file)
    where = {one.instance: one.host for one in place(cloud, snapshot)[0]}
    found = lose(cloud, snapshot, where, name)
    out(json.dumps(loss.document(cloud, found), indent=2) if style == "json" else loss.text(found))
    return Exit.FAILED if found.homeless else Exit.DONE


def _spec(path: Path, style: str) -> Cloud:
    from cloudsync.spec.load import load

    one_of(style, "text", "json")
    return load(path)


def _observed(cloud: Cloud, file: Path | None) -> Snapshot:
    if file:
        return load_snapshot(file)
    from cloudsync.hosts.fleet import Fleet

    with Fleet.open(cloud) as fleet:
        return observe(fleet)
