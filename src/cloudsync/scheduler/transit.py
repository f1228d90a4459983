"""Instances that two hosts know, because a move of them is under way or was cut off: which host's word is shown, and
what is said of it. Pure; `status` asks."""

from collections.abc import Iterator, Mapping

from cloudsync.model.dataclass import dataclass
from cloudsync.model.snapshot import HostState
from cloudsync.scheduler.homes import Home, apart, origin, runs, settled

_CUT_OFF = "unless an apply is at it, this is left of an interrupted move, and the next apply puts it right"


@dataclass(frozen=True, slots=True)
class Transit:
    """`shadows` are (host, uuid) of records of what is elsewhere; `told` says by (host, uuid) what moves
    from or to where, and what is there twice."""

    shadows: frozenset[tuple[str, str]]
    told: Mapping[tuple[str, str], str]


def transit(hosts: Mapping[str, HostState]) -> Transit:
    """A host that only has the record of an instance which runs elsewhere does not speak for it."""
    found, copies = apart(hosts)
    homes = {home.uuid: home for home in found}
    shown = {(home.host, home.uuid) for home in (*found, *copies) if home in found or _lives(home, hosts)}
    bare = {uuid for uuid, home in homes.items() if home.record is None}
    shadows = {(host, uuid) for host, uuid in _recorded(hosts) if (host, uuid) not in shown and uuid not in bare}
    told: dict[tuple[str, str], str] = {}
    for copy in copies:
        if copy.uuid in homes:
            home = homes[copy.uuid]
            told[home.host, copy.uuid] = _words(home, copy, hosts)
            told[copy.host, copy.uuid] = _words(copy, home, hosts)
    return Transit(frozenset(shadows), told)


def _recorded(hosts: Mapping[str, HostState]) -> Iterator[tuple[str, str]]:
    for host in hosts.values():
        yield from ((host.name, one.uuid) for one in (host.document.instances.values() if host.document else ()))


def _lives(home: Home, hosts: Mapping[str, HostState]) -> bool:
    return runs(home) or settled(home, hosts[home.host])


def _words(home: Home, copy: Home, hosts: Mapping[str, HostState]) -> str:
    if _lives(copy, hosts):
        return f"{'runs' if runs(copy) else 'is'} on {copy.host} too"
    if origin(copy, hosts[copy.host]) != home.host:
        return f"moving here from {copy.host}: {_CUT_OFF}"
    return f"moving to {copy.host}" + (f": {_CUT_OFF}" if copy.machine is None else "")
