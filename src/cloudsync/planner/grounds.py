"""What a plan has no change for and a reader of the spec's change wants to know: what the spec says of hosts, and of
whatever nothing that is there follows at once. Pure; told.py and pipeline.py ask."""

from collections.abc import Iterator

from cloudsync.model.cloud import Cloud, Host
from cloudsync.model.plan import Action, Change, Disruption
from cloudsync.model.size import size
from cloudsync.model.snapshot import HostStatus
from cloudsync.planner import compare
from cloudsync.planner.contents import unsaid
from cloudsync.reach.expect import words
from cloudsync.spec.words import some

LEAVES = "leaves the cloud; it must have been emptied"
DRAINED = "what is there moves to other hosts"


def hosts(base: Cloud, head: Cloud) -> Iterator[Change]:
    """Hosts that come, go, or are said to be something else. A cloud that had none has nothing to compare."""
    for name in sorted(base.hosts.keys() | head.hosts.keys()):
        before, after, address = base.hosts.get(name), head.hosts.get(name), f"host.{name}"
        if before is None:
            yield Change(address=address, action=Action.CREATE, reasons=("joins the cloud",), hosts=(name,))
        elif after is None:
            yield Change(address=address, action=Action.DELETE, reasons=(LEAVES,), hosts=(name,))
        elif before != after:
            drained = after.state is HostStatus.DRAINED is not before.state
            yield Change(
                address=address,
                action=Action.UPDATE,
                fields=compare.fields(_host(before), _host(after)),
                reasons=(DRAINED,) if drained else (),
                hosts=(name,),
                disruption=Disruption.MIGRATE if drained else Disruption.NONE,
            )


def _host(one: Host) -> dict[str, object]:
    """`uplink` is the planner's to tell."""
    many, kept = one.overcommit, one.reserved
    return {
        "uri": one.uri,
        "ssh": one.ssh,
        "address": one.address,
        "virt": one.virt,
        "zone": one.zone or None,
        "labels": [f"{key}={value}" for key, value in sorted(one.labels.items())],
        "overcommit": f"{many.vcpus:g} vCPUs, {many.memory:g} memory, {many.disk:g} disk",
        "reserved": f"{kept.vcpus} vCPUs, {size(kept.memory)} of memory, {size(kept.disk)} of disk",
        "state": "active" if one.state is HostStatus.READY else one.state.value,
    }


def _written(base: Cloud, head: Cloud) -> Iterator[str]:
    """Addresses that are asked for, and that one who never asked may have been given."""
    loose = {nic.network for one in base.instances.values() for nic in one.nics if not nic.address}
    known = {nic.address for one in base.instances.values() for nic in one.nics}
    found = [nic for one in head.instances.values() for nic in one.nics if nic.address not in known]
    names = [nic.address for nic in found if nic.address and nic.network in loose]
    if names:
        verb = "is" if len(names) == 1 else "are"
        yield (
            f"{some(names)} {verb} written for the first time: "
            "who has it without having asked for it gets another, by a restart"
        )


def notes(base: Cloud, head: Cloud) -> Iterator[str]:
    """What else is different."""
    then, now = ([words(one) for one in cloud.expectations] for cloud in (base, head))
    yield from (f"no longer expected: {one}" for one in then if one not in now)
    yield from (f"newly expected: {one}" for one in now if one not in then)
    for name in sorted(base.placement_groups.keys() | head.placement_groups.keys()):
        group = head.placement_groups.get(name)
        if base.placement_groups.get(name) != group:
            there = "what breaks it moves" if group and group.strict else "instances that are there stay"
            yield f"placement group {name} is another: {there}, new ones follow it"
    for name in unsaid(base, head):
        file = "in Git now, or no longer," if base.images[name].source == head.images[name].source else "another file"
        yield f"image {name} is {file} without a sha256: whether its content is another, Git does not say"
    yield from _written(base, head)
    if base.scheduler != head.scheduler:
        yield "the scheduler's strategy or weights are others: new instances follow them"
    if base.bandwidth != head.bandwidth:
        yield "migration: another bandwidth, for the moves to come"
