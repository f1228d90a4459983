"""All hosts of a cloud: a Driver each, and what they say when asked at once. The CLI's `with Fleet.open(cloud)`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from cloudsync.apply.driver import Driver
from cloudsync.hosts.ask import at_once
from cloudsync.model.checkup import Check
from cloudsync.model.cloud import Cloud, Host
from cloudsync.model.journal import Entry
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot
from cloudsync.scheduler.standing import recognised


@dataclass(frozen=True, slots=True)
class Fleet:
    """`drivers` by host name. Opening asks no host anything."""

    drivers: Mapping[str, Driver]
    _wanted: Mapping[str, Host]
    _silent: dict[str, HostState] = field(default_factory=dict)

    @classmethod
    def open(cls, cloud: Cloud) -> Self:
        """Simulated hosts for `sim:` URIs, real ones for the rest."""
        return cls({name: _driver(host, cloud) for name, host in cloud.hosts.items()}, cloud.hosts)

    def observe(self) -> Snapshot:
        """All hosts, many at a time; one that the spec cordons or drains says so. A driver gives up by itself.

        One that was silent is not asked again: it costs its timeout once, and what holds no lock is not applied to.
        """
        asked = [driver.observe for name, driver in self.drivers.items() if name not in self._silent]
        hosts = {state.name: _as_wanted(state, self._wanted[state.name]) for state in at_once(asked)}
        self._silent.update((one.name, one) for one in hosts.values() if one.status is HostStatus.UNREACHABLE)
        return Snapshot(hosts=recognised({name: self._silent.get(name) or hosts[name] for name in self.drivers}))

    def runs(self) -> Mapping[str, Mapping[str, int]]:
        """What runs, of each host that can say, by name."""

        def asked(driver: Driver) -> Mapping[str, int] | None:
            try:
                return driver.runs()
            except HostError:
                return None

        names = [name for name in self.drivers if name not in self._silent]
        answers = at_once([partial(asked, self.drivers[name]) for name in names])
        return {name: found for name, found in zip(names, answers, strict=True) if found is not None}

    def checkup(self) -> Mapping[str, tuple[Check, ...]]:
        """What every host is found to be like, by name."""
        found = at_once([driver.checkup for driver in self.drivers.values()])
        return dict(zip(self.drivers, found, strict=True))

    def journals(self, limit: int) -> tuple[dict[str, tuple[Entry, ...]], dict[str, HostError]]:
        """The last applies of each host by name, and why the others could not be asked."""

        def asked(driver: Driver) -> tuple[Entry, ...] | HostError:
            try:
                return driver.journal().applies(limit)
            except HostError as error:
                return error

        answers = dict(zip(self.drivers, at_once([partial(asked, one) for one in self.drivers.values()]), strict=True))
        silent = {name: found for name, found in answers.items() if isinstance(found, HostError)}
        return {name: found for name, found in answers.items() if not isinstance(found, HostError)}, silent

    def close(self) -> None:
        for driver in self.drivers.values():
            driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def _driver(host: Host, cloud: Cloud) -> Driver:
    """libvirt is imported only for a cloud that has a real host."""
    if host.uri.startswith("sim:"):
        from cloudsync.hosts.sim import SimHost

        # By its real place: the spec may be reached through links.
        return SimHost(host.name, host.uri, Path(cloud.path).resolve().parent, cloud.name)
    from cloudsync.hosts.host import Host as RealHost

    return RealHost(host, cloud.name)


def _as_wanted(state: HostState, wanted: Host) -> HostState:
    return replace(state, status=wanted.state) if state.status is HostStatus.READY else state
