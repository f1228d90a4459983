"""A real host as a Driver: machines and disks through libvirt, the network side and images through its agent.

Made by fleet.py. Nothing is decided here: a step says all there is to do.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING

from cloudsync.apply.driver import Blobs, Driver, Progress
from cloudsync.hosts.agent_client import AgentClient
from cloudsync.hosts.ask import Ask
from cloudsync.hosts.back import wait_back
from cloudsync.hosts.delivery import Delivery
from cloudsync.hosts.libvirt.connection import Connection
from cloudsync.hosts.libvirt.data_disk import DataDisks, remove
from cloudsync.hosts.libvirt.domain import Domains
from cloudsync.hosts.libvirt.domain_xml import Site, root_disk, to_xml
from cloudsync.hosts.libvirt.survey import Survey, offers_kvm, runs, survey
from cloudsync.hosts.libvirt.volume import Pool
from cloudsync.hosts.merge import merged, skew
from cloudsync.hosts.move import Seat, move
from cloudsync.hosts.taps import with_lost
from cloudsync.hosts.tunnel import tunnel
from cloudsync.hosts.user_data import filled
from cloudsync.hosts.virt import choose
from cloudsync.model.agent_state import AgentState, ImageDone
from cloudsync.model.cloud import Host as Wanted
from cloudsync.model.problem import CloudsyncError, HostError
from cloudsync.model.resources import Image, Instance, Power
from cloudsync.model.size import size
from cloudsync.model.snapshot import Boot, HostState, HostStatus
from cloudsync.model.step import (
    AwaitInstance,
    CreateInstance,
    DeleteDisk,
    DeleteImage,
    DeleteInstance,
    MoveInstance,
    PutDocument,
    PutImage,
    StartInstance,
    Step,
    StopInstance,
    UpdateInstance,
)

if TYPE_CHECKING:
    from cloudsync.hosts.journal import AgentJournal
    from cloudsync.model.checkup import Check
    from cloudsync.model.denial import Denial
    from cloudsync.model.ruling import Ruling
    from cloudsync.reach.question import Question

SOCKET = "/run/cloudsync/agent.sock"
_PATIENCE = 5.0
"""Seconds that a host has to say what is there; a slower one is unreachable."""


class Host:
    """Implements apply.driver.Driver."""

    def __init__(self, wanted: Wanted, cloud: str, socket: Path | None = None) -> None:
        """`socket` is the agent's on this machine, by default $CLOUDSYNC_AGENT_SOCKET or /run/cloudsync/agent.sock."""
        self.name = wanted.name
        self._wanted = wanted
        self._cloud = cloud
        self.tunnel = tunnel(wanted, SOCKET)
        if self.tunnel:
            remote = self.tunnel.remote
            self._agent = AgentClient(Path(SOCKET), wanted.name, self.tunnel)
            self._connection = Connection(wanted.name, wanted.uri, self.tunnel, remote.sockets, remote.query)
        else:
            at = socket or Path(os.environ.get("CLOUDSYNC_AGENT_SOCKET") or SOCKET)
            self._agent = AgentClient(at, wanted.name)
            self._connection = Connection(wanted.name, wanted.uri)
        self.delivery = Delivery(self._agent)
        self._pool = Pool(self._connection)
        self._domains = Domains(self._connection, cloud)
        self._data = DataDisks(self._connection, self._pool, self._domains)
        self._state: AgentState | None = None
        self._skew = 0.0
        self._images: dict[str, ImageDone] = {}

    def observe(self) -> HostState:
        """Ask libvirt and the agent at once; what fails or is late makes the host unreachable, with the reason."""
        way = Ask(f"host {self.name}: ssh", self._lead)
        libvirt = Ask(f"libvirt of host {self.name}", self._survey)
        agent = Ask(f"the agent of host {self.name}", self._ask_agent)
        failures: list[str] = []
        awake = way.collect(_PATIENCE, failures) is not None
        if awake:
            found = libvirt.collect(_PATIENCE, failures)
            state = agent.collect(_PATIENCE, failures)
            if found and state:
                here = merged(self._wanted, self._cloud, found, state, lambda: self._virt(state))
                return with_lost(replace(here, skew=self._skew), state, self._agent.host, self.runs)
            awake = bool(self.tunnel or found or state)
        return HostState(name=self.name, status=HostStatus.UNREACHABLE, reason="; ".join(failures), awake=awake)

    def runs(self) -> Mapping[str, int]:
        return runs(self._connection)

    def perform(self, step: Step, blobs: Blobs, progress: Progress) -> None:
        """Carry out one step; what an earlier, killed run did of it already is kept."""
        match step:
            case PutImage():
                self._put_image(step.image, progress)
            case DeleteImage():
                self._agent.delete_image(step.sha256)
            case PutDocument():
                self.delivery.send(filled(step.document, blobs, self.delivery.known), step.base)
            case CreateInstance():
                self._create(step)
            case UpdateInstance():
                self._update(step, progress)
            case StartInstance():
                self._power_up(step.uuid, step.address, step.for_good)
            case StopInstance():
                self._domains.stop(step.uuid, step.address, step.grace, step.for_good)
            case DeleteInstance():
                remove(self._domains, self._pool, step.uuid, step.disks)
                self._agent.forget_console(step.uuid)
            case DeleteDisk():
                self._data.part(step.uuid, step.address, step.disk)

    def receive(self, step: MoveInstance, source: Driver, progress: Progress, stop: Flag) -> None:
        if not isinstance(source, Host):
            raise HostError(f"host {self.name} is real and {source.name} is not", "move between hosts of one kind")
        image_format = self._image(step.instance.image).format
        xml = to_xml(step.instance, self._site(step, image_format))
        move(step, source.seat, self.seat, xml, image_format, progress, stop)

    def wait_back(self, step: AwaitInstance, progress: Progress, stop: Flag) -> None:
        """By what its guest told the agent, or the agent's own knock at its ssh port."""
        progress("waiting until it is back")
        wait_back(self.name, step, lambda: self._domains.active(step.uuid), lambda: self._agent.signs(step.uuid), stop)

    @property
    def seat(self) -> Seat:
        return Seat(self._connection, self._pool, self._domains, self._agent)

    def lock(self, who: str, lost: Callable[[], None] = lambda: None) -> AbstractContextManager[None]:
        """Hold the host's apply lock; LockedError names the holder and since when. The agent's end is its loss."""
        return self._agent.lock(who, lost)

    def wait_booted(self, names: Mapping[str, str], seen: Callable[[Boot], None], timeout: float) -> None:
        self._agent.boots(names, seen, timeout)

    def console_log(self, uuid: str) -> bytes:
        return self._agent.console(uuid)

    def denied(self, uuid: str) -> "tuple[Denial, ...]":
        return self._agent.denied(uuid)

    def follow_denied(self, uuid: str, seen: "Callable[[Denial], None]") -> None:
        self._agent.follow_denied(uuid, seen)

    def checkup(self) -> "tuple[Check, ...]":
        """First the ways to the host, then what its agent says of it."""
        from cloudsync.hosts.examine import examine

        return examine(self._connection, self._agent, self._wanted, self._cloud, self._lead, self.observe)

    def rulings(self, asked: "Question") -> "tuple[Ruling, ...]":
        return self._agent.rulings(asked)

    def journal(self) -> "AgentJournal":
        from cloudsync.hosts.journal import AgentJournal

        return AgentJournal(self._agent, self._cloud)

    def jump(self) -> str:
        return self.tunnel.proxy() if self.tunnel else ""

    def virsh(self) -> str:
        return self._connection.at

    def close(self) -> None:
        """ssh first: what libvirt may still wait for on it is over then."""
        if self.tunnel:
            self.tunnel.close()
        self._connection.close()

    def _lead(self) -> str:
        """Where ssh goes, empty without one. What stops here stops libvirt and the agent, and is told once."""
        if self.tunnel is None:
            return ""
        self.tunnel.socket(SOCKET)
        return self.tunnel.remote.where

    def _survey(self) -> Survey:
        """Once more when the connection turns out to be broken: libvirtd may have been restarted meanwhile."""
        began = self._connection.alive
        try:
            return survey(self._connection, self._pool, self._cloud)
        except CloudsyncError:
            if not began or self._connection.alive:
                raise
        return survey(self._connection, self._pool, self._cloud)

    def _ask_agent(self) -> AgentState:
        began = datetime.now(UTC)
        self._state = self._agent.host()
        self._skew = skew(self._state.at, began, datetime.now(UTC))
        self.delivery.saw(self._state)
        return self._state

    def _virt(self, state: AgentState) -> str:
        return choose(self._wanted, state, lambda: offers_kvm(self._connection))

    def _put_image(self, image: Image, progress: Progress) -> None:
        """Fetched by the agent; a file of the controller is sent through libvirt, unless it is there."""
        source = image.source if image.source.startswith(("http://", "https://")) else None
        if source is None and image.sha256 not in self._ask_agent().images:
            self._pool.upload(Path(image.source), image.sha256, progress)
        self._images[image.sha256] = self._agent.put_image(image, source, progress)

    def _image(self, sha256: str) -> ImageDone:
        """What the agent found the image to be when it took it in."""
        if sha256 not in self._images:
            info = (self._state or self._ask_agent()).image_info.get(sha256) or self._ask_agent().image_info.get(sha256)
            if info is None:
                raise HostError(f"host {self.name}: image {sha256[:12]} is not in the cache", "plan again")
            self._images[sha256] = info
        return self._images[sha256]

    def _create(self, step: CreateInstance) -> None:
        instance = step.instance
        image = self._image(instance.image)
        if instance.disk < image.virtual_size:
            raise HostError(
                f"host {self.name}: image.{instance.image_name} is a disk of {size(image.virtual_size)}, and "
                f"{instance.flavor} has {size(instance.disk)}: the guest's file system would be cut off",
                f"give flavor {instance.flavor} a disk of at least {size(image.virtual_size)}",
            )
        if not self._pool.make_root(instance.uuid, instance.disk, instance.image, image.format):
            self._take_back(instance)
        self._data.ready(instance)
        self._define(step, image.format)
        if instance.state is Power.RUNNING:
            self._power_up(instance.uuid, instance.name)

    def _take_back(self, instance: Instance) -> None:
        """A disk of an earlier run, or one that outlived its machine: checked, and grown to what is wanted now."""
        disk = self._ask_agent().disks.get(instance.uuid)
        if disk is None or disk.image != instance.image:
            raise HostError(
                f"host {self.name}: {root_disk(instance.uuid)} in {self._pool.folder} is not a disk on the image "
                f"{instance.image_name} ({instance.image[:12]})",
                "move that file away to keep it, or remove it; then run apply again",
            )
        self._pool.grow_root(instance.uuid, instance.disk)

    def _update(self, step: UpdateInstance, progress: Progress) -> None:
        instance = step.instance
        older = self._domains.read(instance.uuid)
        if older is None:
            raise HostError(f"host {self.name}: {step.address} is gone from libvirt", "plan again")
        if not step.live:
            progress("stopping")
            self._domains.stop(instance.uuid, step.address, step.grace)
        # Before it grows: cut off in between, it still lacks something, and the next plan sees that.
        self._data.ready(instance)
        self._define(step, older.image_format)
        if not step.live or not self._domains.grow(instance, self._site(step, older.image_format)):
            self._pool.grow_root(instance.uuid, instance.disk)
        if step.live:
            self._data.join(instance)
        if instance.state is Power.RUNNING:
            self._power_up(instance.uuid, instance.name)

    def _define(self, step: CreateInstance | UpdateInstance, image_format: str) -> None:
        xml = to_xml(step.instance, self._site(step, image_format))
        self._domains.define(xml, step.instance.uuid, step.instance.name, step.autostart)

    def _site(self, step: CreateInstance | UpdateInstance | MoveInstance, image_format: str) -> Site:
        return Site(
            cloud=step.cloud,
            generation=step.generation,
            gateways=step.gateways,
            virt=self._virt(self._state or self._ask_agent()),
            image_format=image_format,
            pool=self._pool.folder,
            most=step.most,
        )

    def _power_up(self, uuid: str, label: str, for_good: bool = False) -> None:
        self._domains.start(uuid, label, lambda: self._agent.power_on(uuid), for_good)
