"""Changes of what a host's document says about the host itself."""

from collections.abc import Iterator

from cloudsync.model import wire
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Action, Change, Disruption, HostSummary
from cloudsync.model.snapshot import HostState, Snapshot
from cloudsync.planner import compare
from cloudsync.planner.documents import Whole, final


def changes(shared: Whole, snapshot: Snapshot) -> Iterator[Change]:
    """Uplink and underlay addresses."""
    for name, host in sorted(snapshot.hosts.items()):
        if not host.reachable or host.document is None:
            continue
        before, after = _own(host.document), _own(final(shared, name))
        if before != after:
            yield Change(
                address=f"host.{name}",
                action=Action.UPDATE,
                fields=compare.fields(before, after),
                hosts=(name,),
                disruption=Disruption.LIVE,
                before=wire.digest(dict, before),
            )


def summary(host: HostState) -> HostSummary:
    """A host as the plan saw it."""
    digest = wire.digest(HostDocument, host.document) if host.document else ""
    return HostSummary(status=host.status.value, reason=host.reason, generation=host.generation, digest=digest)


def _own(document: HostDocument) -> dict[str, object]:
    return {"uplink": document.uplink, "infra": list(document.infra)}
