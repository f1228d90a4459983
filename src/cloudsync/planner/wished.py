"""What somebody did to a group's rules by hand, and the spec says too by now: it is a change and no drift any more."""

from collections.abc import Mapping
from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.snapshot import Drift, HostState
from cloudsync.spec.normal import allowed


def wished(cloud: Cloud, hosts: Mapping[str, HostState]) -> Mapping[str, HostState]:
    """The hosts without that part of their drift."""
    if not any(_touched(host) for host in hosts.values()):
        return hosts
    return {name: _without(cloud, host) if _touched(host) else host for name, host in hosts.items()}


def _touched(host: HostState) -> bool:
    return any(one.added or one.removed for one in host.drift)


def _without(cloud: Cloud, host: HostState) -> HostState:
    return replace(host, drift=tuple(one for one in host.drift if not _wished(cloud, host, one)))


def _wished(cloud: Cloud, host: HostState, one: Drift) -> bool:
    name = one.address.removeprefix("group.")
    if name not in cloud.groups or host.document is None or name not in host.document.groups:
        return False
    wanted, recorded = cloud.groups[name].rules, host.document.groups[name].rules
    if one.added:
        return allowed(wanted, one.added) and not allowed(recorded, one.added)
    return one.removed is not None and not allowed(wanted, one.removed)
