"""Instances that two hosts know, because a move of them is under way or was cut off: which host's word is shown, and
what is said of it. Pure; `status` asks."""

from collections.abc import Iterator, Mapping

from cloudsync.model.dataclass import dataclass
from cloudsync.model.snapshot import HostState
from cloudsync.scheduler.homes import Home, apart, origin, runs

_CUT_OFF = "unless an apply is at it, this is left of an interrupted move, and the next apply puts it right"


@dataclass(frozen=True, slots=True)
class Transit:
    """`shadows` are (host, uuid) of records of what is elsewhere; `told` says by uuid what moves from or to where."""

    shadows: frozenset[tuple[str, str]]
    told: Mapping[str, str]


def transit(hosts: Mapping[str, HostState]) -> Transit:
    """A host that only has the record of an instance which runs elsewhere does not speak for it."""
    found, copies = apart(hosts)
    homes = {home.uuid: home for home in found}
    shown = {(home.host, home.uuid) for home in (*found, *copies) if home in found or runs(home)}
    bare = {uuid for uuid, home in homes.items() if home.record is None}
    shadows = {(host, uuid) for host, uuid in _recorded(hosts) if (host, uuid) not in shown and uuid not in bare}
    told = {one.uuid: _words(homes[one.uuid], one, hosts) for one in copies if one.uuid in homes}
    return Transit(frozenset(shadows), told)


def _recorded(hosts: Mapping[str, HostState]) -> Iterator[tuple[str, str]]:
    for host in hosts.values():
        yield from ((host.name, one.uuid) for one in (host.document.instances.values() if host.document else ()))


def _words(home: Home, copy: Home, hosts: Mapping[str, HostState]) -> str:
    if runs(copy):
        return f"runs on {copy.host} too"
    if origin(copy, hosts[copy.host]) != home.host:
        return f"moving here from {copy.host}: {_CUT_OFF}"
    return f"moving to {copy.host}" + (f": {_CUT_OFF}" if copy.machine is None else "")
