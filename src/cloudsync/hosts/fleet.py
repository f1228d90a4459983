"""All hosts of a cloud: a Driver each, and what they say when asked at once. The CLI's `with Fleet.open(cloud)`."""

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from cloudsync.apply.driver import Driver
from cloudsync.hosts.ask import at_once
from cloudsync.model.cloud import Cloud, Host
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot
from cloudsync.scheduler.standing import recognised

if TYPE_CHECKING:
    from cloudsync.model.checkup import Check
    from cloudsync.model.journal import Entry

T = TypeVar("T")


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

    def forget(self, name: str) -> None:
        """That a host was silent: it is asked again."""
        self._silent.pop(name, None)

    def runs(self) -> Mapping[str, Mapping[str, int]]:
        """What runs, of each host that can say, by name."""
        return self._answers({name: one.runs for name, one in self.drivers.items() if name not in self._silent})[0]

    def checkup(self) -> "Mapping[str, tuple[Check, ...]]":
        """What every host is found to be like, by name."""
        found = at_once([driver.checkup for driver in self.drivers.values()])
        return dict(zip(self.drivers, found, strict=True))

    def journals(self, limit: int) -> "tuple[dict[str, tuple[Entry, ...]], dict[str, HostError]]":
        """The last applies of each host by name, and why the others could not be asked."""
        return self._answers({name: partial(_applies, one, limit) for name, one in self.drivers.items()})

    def _answers(self, questions: Mapping[str, Callable[[], T]]) -> tuple[dict[str, T], dict[str, HostError]]:
        """What each host says that can, by name, and why the others cannot."""
        failed: dict[str, HostError] = {}

        def asked(name: str) -> tuple[str, T] | None:
            try:
                return name, questions[name]()
            except HostError as error:
                failed[name] = error
                return None

        return dict(one for one in at_once([partial(asked, name) for name in questions]) if one), failed

    def close(self) -> None:
        for driver in self.drivers.values():
            driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def _applies(driver: Driver, limit: int) -> "tuple[Entry, ...]":
    return driver.journal().applies(limit)


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
