"""What has to be done to one machine, from what it is and what it should be. Changes, drift and steps all ask here."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from cloudsync.model.plan import Disruption
from cloudsync.model.resources import Instance, Network, Power
from cloudsync.model.snapshot import Machine
from cloudsync.planner import grow
from cloudsync.planner.disks import attached, missing
from cloudsync.planner.seen import Pair
from cloudsync.planner.unfinished import unfinished
from cloudsync.scheduler.latest import of_each


class Act(StrEnum):
    NOTHING = "nothing"
    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"
    GROW = "grow"
    MOVE = "move"
    START = "start"
    STOP = "stop"


@of_each
def act(pair: Pair, networks: Mapping[str, Network]) -> Act:
    """A machine with a disk that is gone, or another root disk, is left alone: stopping it would lose what it holds."""
    wanted, machine = pair.wanted, pair.machine
    if wanted is None or pair.held:
        return Act.NOTHING
    if pair.moves:
        return Act.MOVE
    if machine is None or pair.replaced:
        return Act.CREATE
    if not pair.has_disk or machine.traces.disk or missing(pair):
        return Act.NOTHING
    if not written_as(machine, wanted) or gateways_moved(pair, networks):
        if only_forgotten(pair, networks):
            return Act.KEEP
        return Act.GROW if only_grows(pair, networks) else Act.UPDATE
    if machine.power is not wanted.state and not ignored(pair):
        return Act.START if wanted.state is Power.RUNNING else Act.STOP
    return Act.NOTHING if machine.autostart is wanted.autostart else Act.KEEP


def ignored(pair: Pair) -> bool:
    """Whether somebody else made it run, or not, and that is theirs to say: the spec has not changed its mind."""
    wanted, record, machine = pair.wanted, pair.record, pair.machine
    if wanted is None or record is None or machine is None or "state" not in wanted.ignore:
        return False
    if pair.replaced or unfinished(pair):
        return False
    return machine.power is not wanted.state and record.state is wanted.state


def left_running(pair: Pair, wanted: Instance, what: Act) -> Instance:
    """`wanted`, in the power state that a step leaves it in: where that is ignored, the one that it is in."""
    machine = pair.machine
    if machine is None or not ignored(pair):
        return wanted
    if what is Act.KEEP:
        return replace(wanted, state=machine.power)
    return replace(wanted, state=Power.RUNNING if pair.runs else Power.STOPPED)


def moves_live(pair: Pair, networks: Mapping[str, Network]) -> bool:
    """Whether it can run on while it moves: nothing else of it changes."""
    wanted, machine = pair.wanted, pair.machine
    if not (pair.moves and pair.runs) or wanted is None or machine is None:
        return False
    return wanted.state is Power.RUNNING and written_as(machine, wanted) and not gateways_moved(pair, networks)


def only_forgotten(pair: Pair, networks: Mapping[str, Network]) -> bool:
    """Whether it runs as wanted, and only what libvirt keeps of it is not, or it lacks a data disk or some of one:
    libvirt takes a definition, and disks, as it runs."""
    wanted, machine = pair.wanted, pair.machine
    if wanted is None or machine is None or not pair.runs or wanted.state is not Power.RUNNING:
        return False
    return written_as(_kept_anew(_joined(machine, wanted)), wanted) and not gateways_moved(pair, networks)


def _kept_anew(machine: Machine) -> Machine:
    """As it would be if only libvirt were told again what to keep of it."""
    return replace(machine, traces=replace(machine.traces, definition=(), undefined=False))


def only_grows(pair: Pair, networks: Mapping[str, Network]) -> bool:
    """Whether it runs as wanted but for its sizes, and can take in what it lacks while it runs."""
    return _only_sizes(pair, networks) and not grow.hindrances(pair)


def remarks(pair: Pair, what: Act, networks: Mapping[str, Network]) -> tuple[str, ...]:
    """What is to be said of new sizes: why they take a restart where nothing else does, or what the guest makes of
    them."""
    if what is Act.GROW:
        return grow.told(pair)
    return grow.hindrances(pair) if what is Act.UPDATE and _only_sizes(pair, networks) else ()


def _only_sizes(pair: Pair, networks: Mapping[str, Network]) -> bool:
    """Whether it runs, is to run, and has the wrong size at most."""
    wanted, machine = pair.wanted, pair.machine
    if wanted is None or machine is None or not machine.power is wanted.state is Power.RUNNING:
        return False
    disk = max(machine.disk, wanted.disk)
    sized = replace(_kept_anew(_joined(machine, wanted)), vcpus=wanted.vcpus, memory=wanted.memory, disk=disk)
    return written_as(sized, wanted) and not gateways_moved(pair, networks)


def _joined(machine: Machine, wanted: Instance) -> Machine:
    """With every data disk, as large as wanted, where it has places for them as it runs."""
    ids = frozenset(disk.id for disk in wanted.disks)
    if len(ids - machine.attached) > machine.ports:
        return machine
    return replace(machine, disks=wanted.disks, attached=ids)


def secret(pair: Pair) -> bool:
    """Whether nobody on the wire can read what travels: both hosts have certificates."""
    return pair.source.tls and pair.host.tls


def disruption(pair: Pair, what: Act, networks: Mapping[str, Network]) -> Disruption:
    """A machine that does not run is not restarted; one whose memory was saved has to go on before it can stop."""
    if what is Act.MOVE and moves_live(pair, networks):
        return Disruption.MIGRATE
    if what is Act.GROW:
        return Disruption.LIVE
    if what is Act.KEEP and pair.machine and pair.wanted and not attached(pair.machine, pair.wanted):
        return Disruption.LIVE
    saved = pair.machine is not None and pair.machine.traces.saved and what is not Act.STOP
    restarts = what in (Act.UPDATE, Act.MOVE, Act.STOP) and (pair.runs or saved)
    return Disruption.RESTART if restarts else Disruption.NONE


def written_as(machine: Machine, wanted: Instance) -> bool:
    """Whether the domain is as wanted and as it was written, aside from its gateways, its power, and whether it starts
    with its host. A disk that is bigger stays: none ever shrinks."""
    if machine.traces.definition or machine.traces.running or machine.traces.undefined or machine.lost:
        return False
    nics = tuple((nic.tap, nic.mac, nic.address) for nic in wanted.nics)
    is_now = (machine.name, machine.vcpus, machine.memory, tuple(machine.nics))
    as_wanted = is_now == (wanted.name, wanted.vcpus, wanted.memory, nics)
    return as_wanted and machine.disk >= wanted.disk and attached(machine, wanted)


def gateways_moved(pair: Pair, networks: Mapping[str, Network]) -> bool:
    """Whether a tap would keep an address that is no gateway any more: libvirt gives it one when the machine starts."""
    return any(now != wanted for now, _, wanted in gateways(pair, networks))


def gateways(pair: Pair, networks: Mapping[str, Network]) -> list[tuple[str, str, str]]:
    """(now, recorded, wanted) for each NIC that stays as it is: what the domain says (where it does), what was last
    applied to its network, and what is to be."""
    wanted, machine, document = pair.wanted, pair.machine, pair.source.document
    if wanted is None or machine is None:
        return []
    there = {(tap, address): index for index, (tap, _, address) in enumerate(machine.nics)}
    found = []
    for nic in wanted.nics:
        index = there.get((nic.tap, nic.address))
        if index is not None:
            goal = networks[nic.network].gateway
            network = document.networks.get(nic.network) if document else None
            recorded = network.gateway if network else goal
            found.append((machine.gateways[index] if machine.gateways else recorded, recorded, goal))
    return found
