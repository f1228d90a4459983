"""Simulated hosts in memory, as strict as an agent and a kernel, that break in the middle of a step on demand."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from cloudsync.agent.validate import problems
from cloudsync.apply.driver import Blobs, Driver, Progress
from cloudsync.apply.events import Event, Failed, Finished
from cloudsync.apply.execute import Outcome, execute
from cloudsync.hosts.sim import SimHost
from cloudsync.hosts.sim_disks import SimDisk
from cloudsync.hosts.user_data import filled
from cloudsync.model.cloud import Cloud
from cloudsync.model.document import Applied
from cloudsync.model.plan import Plan
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Power, World
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot
from cloudsync.model.step import (
    CreateInstance,
    DeleteDisk,
    DeleteInstance,
    MoveInstance,
    PutDocument,
    Step,
    StopInstance,
    UpdateInstance,
)
from cloudsync.pipeline import blobs
from cloudsync.planner.departed import confirm_lost
from cloudsync.planner.make import make_plan
from cloudsync.planner.resolve import resolve
from cloudsync.scheduler.place import place
from cloudsync.scheduler.standing import recognised
from tests.laws.worlds import HOSTS

URI = "sim:?vcpus=64&memory=256GiB&disk=4TiB"


class Breakable(SimHost):
    """`breaks` names a step that fails half-way, once: some of its effects are there, the rest is not."""

    def __init__(self, name: str) -> None:
        super().__init__(name, URI, None)
        self.breaks: str | None = None
        self.stopped: set[str] = set()
        self.peers: tuple[Breakable, ...] = (self,)

    def perform(self, step: Step, blobs: Blobs, progress: Progress) -> None:
        running = {uuid for uuid, machine in self.state.machines.items() if machine.power is Power.RUNNING}
        if isinstance(step, UpdateInstance) and not step.live:
            self.stopped |= running & {step.instance.uuid}
        elif isinstance(step, StopInstance | DeleteInstance):
            self.stopped |= running & {step.uuid}
        if step.id == self.breaks:
            self.breaks = None
            self._half(step)
            raise HostError(f"{step.id} broke half-way", "go on")
        if isinstance(step, PutDocument):
            there = self.state.document
            sent = filled(step.document, blobs, there)
            kept = there.user_data if there else {}
            wrong = problems(replace(sent, user_data={key: data or kept[key] for key, data in sent.user_data.items()}))
            if wrong:
                raise HostError(f"{step.id}: the agent would refuse it: {'; '.join(wrong)}")
        super().perform(step, blobs, progress)
        self.rivals()

    def receive(self, step: MoveInstance, source: Driver, progress: Progress, stop: threading.Event) -> None:
        assert isinstance(source, Breakable)
        uuid = step.instance.uuid
        machine = source.state.machines.get(uuid)
        if not step.live and machine and machine.power is Power.RUNNING:
            source.stopped.add(uuid)
        if step.id == self.breaks:
            self.breaks = None
            begun = {disk: source.state.data[disk] for disk in step.carries[:1]}
            self.state = replace(
                self.state,
                disks={**self.state.disks, uuid: 1},
                bases={**self.state.bases, uuid: step.instance.image},
                data={**self.state.data, **begun},
            )
            raise HostError(f"{step.id} broke half-way", "go on")
        super().receive(step, source, progress, stop)
        self.rivals()

    def rivals(self) -> None:
        """HostError when two machines that run have one address: the kernel would not know where to send.

        What runs on a host that is down, or was given up with it, is no rival of what took its place.
        """
        up = [host for host in self.peers if not host.state.down]
        gone = {uuid for host in up if host.state.document for uuid in host.state.document.given_up}
        running = [
            (nic[2], machine.name)
            for host in up
            for machine in host.state.machines.values()
            if machine.power is Power.RUNNING and machine.uuid not in gone
            for nic in machine.nics
        ]
        twice = [address for address, count in Counter(address for address, _ in running).items() if count > 1]
        if twice:
            raise HostError(f"{twice[0]} is with {[name for address, name in running if address == twice[0]]}")
        documents = [host.state.document for host in up if host.state.document]
        given = Counter(
            address
            for one in documents
            for instance in one.instances.values()
            if instance.uuid not in gone
            for address in instance.floating
        )
        if given and max(given.values()) > 1:
            raise HostError(f"a floating address is answered for twice: {given}")

    def _half(self, step: Step) -> None:
        """What a killed run leaves: a disk without domain, a domain gone whose disk is there, a machine off."""
        state = self.state
        if isinstance(step, CreateInstance):
            uuid = step.instance.uuid
            disks = {uuid: step.instance.disk, **state.disks}
            data = {disk.id: SimDisk(size=1, made=f"half of {step.id}") for disk in step.instance.disks[:1]}
            bases = {uuid: step.instance.image, **state.bases}
            self.state = replace(state, disks=disks, bases=bases, data={**data, **state.data})
        elif isinstance(step, DeleteInstance):
            self.state = replace(state, machines={k: v for k, v in state.machines.items() if k != step.uuid})
        elif isinstance(step, DeleteDisk) and step.uuid in state.machines:
            machine = state.machines[step.uuid]
            less = replace(machine, attached=machine.attached - {step.disk.id})
            self.state = replace(state, machines={**state.machines, step.uuid: less})
        elif isinstance(step, UpdateInstance) and step.live:
            self._half_grown(step)
        elif isinstance(step, UpdateInstance) and step.instance.uuid in state.machines:
            off = replace(state.machines[step.instance.uuid], power=Power.STOPPED)
            self.state = replace(state, machines={**state.machines, off.uuid: off})

    def _half_grown(self, step: UpdateInstance) -> None:
        """Its disk is bigger; vCPUs and memory are what they were."""
        uuid, state = step.instance.uuid, self.state
        machine = replace(state.machines[uuid], disk=step.instance.disk)
        machines, disks = {**state.machines, uuid: machine}, {**state.disks, uuid: machine.disk}
        self.state = replace(state, machines=machines, disks=disks)


@dataclass
class Fleet:
    """The hosts of a world."""

    hosts: Mapping[str, Breakable] = field(default_factory=lambda: {name: Breakable(name) for name in HOSTS})
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for host in self.hosts.values():
            host.peers = tuple(self.hosts.values())

    def observe(self, cloud: Cloud) -> Snapshot:
        return Snapshot(hosts=recognised({name: self._seen(cloud, name) for name in cloud.hosts}))

    def unplug(self, name: str) -> None:
        self.hosts[name].state = replace(self.hosts[name].state, down="its plug is pulled")

    def plug_in(self, name: str) -> None:
        self.hosts[name].state = replace(self.hosts[name].state, down="")

    def _seen(self, cloud: Cloud, name: str) -> HostState:
        state = self.hosts[name].observe()
        wanted = cloud.hosts[name].state
        return replace(state, status=wanted) if state.status is HostStatus.READY else state

    def apply(self, plan: Plan, cloud: Cloud, stop_after: int | None = None, threads: int = 1) -> Outcome:
        """Carry the plan out; with `stop_after`, interrupted once that many steps are done."""
        stop = threading.Event()
        if stop_after == 0:
            stop.set()
        return execute(plan, self.hosts, blobs(cloud), self._listener(stop, stop_after), threads, stop)

    def _listener(self, stop: threading.Event, limit: int | None) -> Callable[[Event], None]:
        done = 0

        def seen(event: Event) -> None:
            nonlocal done
            done += isinstance(event, Finished)
            if limit is not None and done >= limit:
                stop.set()
            if isinstance(event, Failed):
                self.failures.append(event.message)

        return seen

    def machines(self) -> dict[str, str]:
        """Where each machine is, by uuid."""
        return {uuid: name for name, host in self.hosts.items() for uuid in host.state.machines}

    def data(self) -> dict[str, set[str]]:
        """What tells each data disk from an empty one in its place, by id: of a copy it is the same."""
        found: dict[str, set[str]] = {}
        for host in self.hosts.values():
            for disk, there in host.state.data.items():
                found.setdefault(disk, set()).add(there.made)
        return found

    def disks(self) -> set[str]:
        return {uuid for host in self.hosts.values() for uuid in host.state.disks}


@dataclass(frozen=True)
class Decision:
    plan: Plan
    desired: World


def decide(cloud: Cloud, snapshot: Snapshot) -> Decision:
    """What the pipeline decides, with a fixed clock."""
    confirm_lost(cloud, snapshot)
    placements, unplaced = place(cloud, snapshot)
    desired = resolve(cloud, placements, snapshot)
    applied = Applied(commit=cloud.commit, by="law@test", at="2026-01-01T00:00:00Z")
    return Decision(make_plan(cloud, desired, snapshot, placements, unplaced, applied), desired)
