"""Which hosts may be counted on: the snapshot as this spec sees it. The scheduler and the planner start here."""

from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot


def standing(cloud: Cloud, snapshot: Snapshot) -> dict[str, HostState]:
    """Every host of the spec in name order: unreachable when the snapshot lacks it, foreign when another cloud has it,
    cordoned or drained when the spec says so.
    """
    return {name: _state(cloud, name, snapshot.hosts.get(name)) for name in sorted(cloud.hosts)}


def _state(cloud: Cloud, name: str, seen: HostState | None) -> HostState:
    if seen is None:
        return HostState(name=name, status=HostStatus.UNREACHABLE, reason="it is not in the snapshot")
    document = seen.document
    if seen.reachable and document and document.cloud != cloud.name and not document.released:
        return HostState(name=name, status=HostStatus.FOREIGN, reason=f"it belongs to cloud {document.cloud}")
    return replace(seen, status=cloud.hosts[name].state) if seen.status is HostStatus.READY else seen
