"""`--target ADDRESS…`: of all that the spec asks for only these, with what they refer to. Pure; pipeline.py asks.

What hosts tell one another goes along with whatever is done; drift of hosts that nothing else is done on stays.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import replace

from cloudsync.model.address import Kind
from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Change, Plan
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import HostState
from cloudsync.planner.narrow import narrowed, remotes, without_steps
from cloudsync.spec.suggest import did_you_mean

UNTARGETED = "untargeted"


def aimed(
    cloud: Cloud, hosts: Mapping[str, HostState], whole: Plan, targets: Iterable[str], decide: Callable[[Cloud], Plan]
) -> Plan:
    """The part of `whole` that has to do with `targets`: KIND.NAME, or the name or key of instances."""
    meant = tuple(sorted({address for target in targets for address in _meant(cloud, whole, target)}))
    names = _closed(cloud, meant)

    def goes(change: Change) -> bool:
        return change.address in names or change.address.startswith("host.")

    others = (f"instance.{one.instance}" for one in whole.unplaced)
    plan = narrowed(cloud, hosts, whole, goes, decide, UNTARGETED, [one for one in others if one not in names])
    return replace(_without_repairs(plan, names), targets=meant)


def _meant(cloud: Cloud, whole: Plan, target: str) -> Iterator[str]:
    """CloudsyncError when nothing of that name is in the spec or changes."""
    nouns: Mapping[str, Set[str]] = {
        Kind.HOST: cloud.hosts.keys(),
        Kind.IMAGE: cloud.images.keys(),
        Kind.NETWORK: cloud.networks.keys(),
        Kind.KEYPAIR: cloud.keypairs.keys(),
        Kind.GROUP: cloud.groups.keys(),
        Kind.INSTANCE: cloud.instances.keys(),
    }
    address = target if target.partition(".")[0] in nouns else f"instance.{target}"
    kind, _, name = address.partition(".")
    counted = [one.name for one in cloud.instances.values() if kind == "instance" and name in (one.name, one.base)]
    found = {f"instance.{one}" for one in counted}
    found |= {address} if name in nouns[kind] or any(one.address == address for one in whole.changes) else set()
    if not found:
        hint = did_you_mean(name, nouns[kind])
        raise CloudsyncError(f"--target: there is no {address} in the spec, and none that goes", hint)
    yield from found


def _closed(cloud: Cloud, meant: Iterable[str]) -> frozenset[str]:
    """With all that they refer to: an instance is not made without its groups, nor a group without those it names."""
    found: set[str] = set()
    left = list(meant)
    while left:
        address = left.pop()
        if address not in found:
            found.add(address)
            left += _refers(cloud, address)
    return frozenset(found)


def _refers(cloud: Cloud, address: str) -> Iterator[str]:
    kind, _, name = address.partition(".")
    if kind == "instance" and (one := cloud.instances.get(name)):
        yield f"image.{one.image}"
        yield from (f"network.{nic.network}" for nic in one.nics)
        yield from (f"keypair.{key}" for key in one.keypairs)
        yield from (f"group.{group}" for group in one.groups)
    elif kind == "group" and (group := cloud.groups.get(name)):
        yield from remotes(group)


def _without_repairs(plan: Plan, names: Set[str]) -> Plan:
    """What drifted on hosts that no change is about stays, and is not said to be repaired."""
    busy = {host for change in plan.changes for host in change.hosts}
    meant = {one.host for one in plan.drift if one.address in names}
    idle = {one.host for one in plan.drift} - busy - meant
    if not idle:
        return plan
    less = without_steps(plan, lambda step: step.host in idle)
    left = idle - {step.host for step in less.steps}
    return replace(less, drift=tuple(one for one in less.drift if one.host not in left))
