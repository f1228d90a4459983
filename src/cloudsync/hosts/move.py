"""A machine of one real host comes to another: live, or its disk carried over while it is off. Called by host.py.

Whatever fails, it is on the source as it was, and what was made on the target is gone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event as Flag

from cloudsync.hosts.agent_client import AgentClient
from cloudsync.hosts.libvirt.connection import Connection
from cloudsync.hosts.libvirt.data_disk import remove
from cloudsync.hosts.libvirt.disk_xml import data_disk
from cloudsync.hosts.libvirt.domain import Domains
from cloudsync.hosts.libvirt.domain_xml import root_disk
from cloudsync.hosts.libvirt.migrate import migrate
from cloudsync.hosts.libvirt.volume import Pool
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError, HostError
from cloudsync.model.resources import Power
from cloudsync.model.step import MoveInstance

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Seat:
    """What a host is made of, as seen from here."""

    connection: Connection
    pool: Pool
    domains: Domains
    agent: AgentClient


def move(step: MoveInstance, source: Seat, target: Seat, xml: str, kind: str, progress: Progress, stop: Flag) -> None:
    """`xml` is the domain on the target, `kind` the format of its image."""
    uuid = step.instance.uuid
    if not _arrived(step, source, target):
        size = source.pool.size(root_disk(uuid))
        data = {disk: source.pool.size(data_disk(disk)) for disk in step.carries}
        with _or_nothing(target, step):
            _clear(target, step)
            target.pool.make_root(uuid, size, step.instance.image, kind)
            for disk in step.instance.disks:
                target.pool.make_data(disk.id, data.get(disk.id, disk.size))
            if step.live:
                migrate(source.connection, target.connection, step, progress, stop)
                _bring_flows(uuid, source, target)
            else:
                _carry(step, source, target, xml, progress, stop)
    target.domains.define(xml, uuid, step.instance.name, step.autostart)
    _tell_boot(uuid, source, target)


def _arrived(step: MoveInstance, source: Seat, target: Seat) -> bool:
    """Whether an earlier run got to its end: the source has no machine any more, and the target has it."""
    uuid = step.instance.uuid
    return source.domains.read(uuid) is None and target.domains.read(uuid) is not None


def _carry(step: MoveInstance, source: Seat, target: Seat, xml: str, progress: Progress, stop: Flag) -> None:
    """The source has no machine before the target's starts: only one of them may ever run."""
    uuid, name = step.instance.uuid, step.instance.name
    before = source.domains.text(uuid)
    ran = source.domains.active(uuid)
    try:
        if ran:
            progress("stopping")
        if before:
            source.domains.stop(uuid, step.address, step.grace)
        for volume in (root_disk(uuid), *(data_disk(disk) for disk in step.carries)):
            source.pool.copy(volume, target.pool, step.bandwidth, progress, stop)
        target.pool.grow_root(uuid, step.instance.disk)
        for disk in step.instance.disks:
            target.pool.grow(data_disk(disk.id), disk.size)
        target.domains.define(xml, uuid, name, step.autostart)
        if before:
            source.domains.delete(uuid)
        if step.instance.state is Power.RUNNING:
            target.domains.start(uuid, name, lambda: target.agent.power_on(uuid))
    except BaseException:
        _put_back(source, target, uuid, before, ran)
        raise


def _put_back(source: Seat, target: Seat, uuid: str, before: tuple[str, str, bool] | None, ran: bool) -> None:
    """Best effort: what fails again is told by the next plan."""
    with suppress(CloudsyncError):
        target.domains.delete(uuid)
        if before:
            source.domains.define(before[0], uuid, before[1], before[2])
            if ran:
                source.domains.start(uuid, before[1], lambda: source.agent.power_on(uuid))


@contextmanager
def _or_nothing(target: Seat, step: MoveInstance) -> Iterator[None]:
    """What was begun on the target is removed when it fails; where it cannot be asked, the next plan does."""
    try:
        yield
    except BaseException:
        with suppress(CloudsyncError):
            if not target.domains.active(step.instance.uuid):
                _clear(target, step)
        raise


def _clear(target: Seat, step: MoveInstance) -> None:
    """What an earlier try left of it. The source has all its disks, and those that are new hold nothing yet."""
    remove(target.domains, target.pool, step.instance.uuid, (disk.id for disk in step.instance.disks))


def _bring_flows(uuid: str, source: Seat, target: Seat) -> None:
    """Without them the target takes what its connections send for new ones that lack their beginning, and drops it.

    Best effort: the machine has moved.
    """
    with suppress(CloudsyncError):
        target.agent.put_flows(uuid, source.agent.flows(uuid))


def _tell_boot(uuid: str, source: Seat, target: Seat) -> None:
    """A guest tells its ssh host keys once in its life: they come along."""
    boot = source.agent.host().boots.get(uuid)
    if boot is None:
        return
    try:
        target.agent.put_boot(boot)
    except CloudsyncError as error:
        raise HostError(
            f"{error.message}: the guest has moved, its ssh host keys are not known there", error.hint
        ) from error
