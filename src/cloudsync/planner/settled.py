"""Cloud -> the Snapshot that a finished apply of it leaves: what a change of the spec is compared with where no host is
asked. Pure; pipeline.py calls it, and `tests/laws` holds it against simulated hosts.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.growth import headroom
from cloudsync.model.plan import Placement
from cloudsync.model.resources import Instance, Network, Power, World
from cloudsync.model.snapshot import Boot, HostState, Machine, Snapshot
from cloudsync.planner.documents import claims, final, whole
from cloudsync.planner.resolve import resolve
from cloudsync.planner.seen import see
from cloudsync.scheduler.standing import standing

_HOLDER = "~"


def settled(cloud: Cloud, placements: Iterable[Placement], bare: Snapshot, held: Collection[str] = ()) -> Snapshot:
    """`bare` has the hosts as they are with nothing of the cloud on them, `placements` who goes where. Addresses that
    are `held` are given to nobody who does not ask for them."""
    desired = _resolved(cloud, tuple(placements), bare, held)
    states = standing(cloud, bare)
    shared = whole(cloud, desired, see(cloud, desired, states), states)
    found = dict(bare.hosts)
    for name, host in states.items():
        document = replace(final(shared, name), generation=1)
        if claims(host, document):
            here = shared.local.get(name, {}).values()
            found[name] = _full(replace(bare.hosts[name], document=document), cloud, here, desired.networks)
    return Snapshot(hosts=found)


def _resolved(cloud: Cloud, placements: tuple[Placement, ...], bare: Snapshot, held: Collection[str]) -> World:
    """With one more that has the held addresses, while they are given out; no spec can call one what it is called."""
    if not (held and placements):
        return resolve(cloud, placements, bare)
    like = cloud.instances[placements[0].instance]
    nics = tuple(replace(like.nics[0], address=address) for address in sorted(held)) if like.nics else ()
    holder = replace(like, name=_HOLDER, base=_HOLDER, was=(), nics=nics, floating=None, disks=())
    more = replace(cloud, instances={**cloud.instances, _HOLDER: holder})
    found = resolve(more, (*placements, replace(placements[0], instance=_HOLDER)), bare)
    return replace(found, instances={name: one for name, one in found.instances.items() if name != _HOLDER})


def _full(host: HostState, cloud: Cloud, here: Iterable[Instance], networks: Mapping[str, Network]) -> HostState:
    instances = tuple(here)
    gateways = {name: network.gateway for name, network in networks.items()}
    running = [one.uuid for one in instances if one.state is Power.RUNNING]
    return replace(
        host,
        machines={one.uuid: _machine(one, host, cloud, gateways) for one in instances},
        disks=frozenset(one.uuid for one in instances),
        data={disk.id: disk.size for one in instances for disk in one.disks},
        images={**host.images, **{one.image: 1 for one in instances}},
        boots={uuid: Boot(uuid=uuid, stage="modules-final", finished=True, grows=True) for uuid in running},
        runs={uuid: number for number, uuid in enumerate(running, 1)},
    )


def _machine(one: Instance, host: HostState, cloud: Cloud, gateways: Mapping[str, str]) -> Machine:
    most = headroom(one, host.capacity)
    return Machine.written(one, cloud=cloud.name, generation=1, gateways=gateways, most=most, disk=one.disk)
