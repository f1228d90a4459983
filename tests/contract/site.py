"""One host and the few things that contract tests do to it; the same for every driver."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from threading import Event as Flag
from uuid import UUID

from cloudsync.apply.driver import Blobs, Driver
from cloudsync.model.document import HostDocument
from cloudsync.model.resources import DataDisk, Group, Image, Instance, Network, Nic
from cloudsync.model.snapshot import HostState, Machine, Usage
from cloudsync.model.step import (
    AwaitInstance,
    CreateInstance,
    DeleteDisk,
    DeleteImage,
    DeleteInstance,
    PutDocument,
    PutImage,
    Step,
    UpdateInstance,
)
from cloudsync.planner.identity import tap_and_mac, uuid_of

MIB = 1 << 20
NETWORK = Network(name="default", subnet="10.99.0.0/24", gateway="10.99.0.1", domain="contract.internal")
GATEWAYS = {"default": NETWORK.gateway}
NO_ROOM = Usage()


@dataclass(frozen=True)
class Site:
    """`file` is a bootable image of 1 MiB. While `guest` holds of an instance, its guest is there."""

    driver: Driver
    file: Path
    guest: Callable[[Instance], AbstractContextManager[None]]

    @property
    def image(self) -> Image:
        digest = sha256(self.file.read_bytes()).hexdigest()
        return Image(name="blank", sha256=digest, source=str(self.file), format="raw")

    def instance(self, name: str = "web", number: int = 7) -> Instance:
        """No two with the same number."""
        uuid = uuid_of("contract", name, number, ())
        tap, mac = tap_and_mac(uuid, 0)
        return Instance(
            name=name,
            uuid=uuid,
            incarnation=0,
            host="here",
            image=self.image.sha256,
            image_name="blank",
            flavor="tiny",
            vcpus=1,
            memory=32 * MIB,
            disk=8 * MIB,
            nics=(Nic(network="default", address=f"10.99.0.{number}", mac=mac, tap=tap),),
            groups=("default",),
        )

    def perform(self, step: Step, blobs: Blobs | None = None) -> None:
        self.driver.perform(step, blobs or {}, lambda _text: None)

    def fetch(self) -> None:
        self.perform(PutImage(id="image", host="here", address="image.blank", image=self.image))

    def forget(self) -> None:
        self.perform(DeleteImage(id="forget", host="here", address="image.blank", sha256=self.image.sha256))

    def record(
        self,
        *instances: Instance,
        base: int | None = None,
        cloud: str = "contract",
        log_denied: bool = False,
        blobs: Blobs | None = None,
    ) -> None:
        """Put a document with these; on top of what is there unless `base` says otherwise."""
        on = self.state.generation if base is None else base
        document = HostDocument(
            cloud=cloud,
            host="here",
            generation=on + 1,
            networks={"default": NETWORK} if instances else {},
            groups={"default": Group(name="default", log_denied=log_denied)} if instances else {},
            instances={one.name: one for one in instances},
        )
        self.perform(PutDocument(id="document", host="here", address="host.here", document=document, base=on), blobs)

    def create(self, one: Instance, most: Usage = NO_ROOM) -> None:
        self.perform(
            CreateInstance(
                id="create",
                host="here",
                address=f"instance.{one.name}",
                instance=one,
                gateways=GATEWAYS,
                cloud="contract",
                generation=self.state.generation,
                autostart=one.autostart,
                most=most,
            )
        )

    def update(self, one: Instance, most: Usage = NO_ROOM, live: bool = False) -> None:
        self.perform(
            UpdateInstance(
                id="update",
                host="here",
                address=f"instance.{one.name}",
                instance=one,
                gateways=GATEWAYS,
                cloud="contract",
                generation=self.state.generation,
                autostart=one.autostart,
                most=most,
                live=live,
                grace=0.1,
            )
        )

    def delete(self, uuid: str, *disks: DataDisk) -> None:
        ids = tuple(disk.id for disk in disks)
        self.perform(DeleteInstance(id="delete", host="here", address="instance.web", uuid=uuid, disks=ids))

    def delete_disk(self, one: Instance, disk: DataDisk) -> None:
        self.perform(DeleteDisk(id="delete", host="here", address=f"instance.{one.name}", uuid=one.uuid, disk=disk))

    def disk(self, name: str = "data", size: int = 8 * MIB) -> DataDisk:
        return DataDisk(name=name, size=size, id=uuid_of("contract", name, 0, ()))

    def wait_back(self, one: Instance, timeout: float = 1.0, stop: bool = False) -> None:
        interrupted = Flag()
        if stop:
            interrupted.set()
        step = AwaitInstance(id="await", host="here", address="instance.web", uuid=one.uuid, timeout=timeout)
        self.driver.wait_back(step, lambda _text: None, interrupted)

    def running(self, name: str = "web", most: Usage = NO_ROOM) -> Instance:
        """Fetched, recorded, made."""
        one = self.instance(name)
        self.fetch()
        self.record(one)
        self.create(one, most)
        return one

    @property
    def state(self) -> HostState:
        return self.driver.observe()

    @property
    def ours(self) -> HostState:
        """But for what is free in the file system, which is not ours alone to change."""
        return replace(self.state, free=0)

    def machine(self, one: Instance) -> Machine:
        return self.state.machines[one.uuid]


@contextmanager
def cleaned(site: Site) -> Iterator[Site]:
    """Remove what the test left, whatever became of it."""
    try:
        yield site
    finally:
        state = site.state
        for uuid in state.machines.keys() | state.disks:
            site.delete(uuid)
        for disk in state.data:
            site.delete(str(UUID(int=0)), DataDisk(name="left", size=0, id=disk))
        if state.document:
            site.record()
        for sha256_ in state.images:
            site.perform(DeleteImage(id="forget", host="here", address="image.blank", sha256=sha256_))
