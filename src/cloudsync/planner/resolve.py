"""Cloud and placements -> World: every address, MAC and UUID decided, what exists keeping what it has."""

from collections.abc import Iterable
from hashlib import sha256

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.plan import Placement
from cloudsync.model.resources import Digest, Instance, Nic, World
from cloudsync.model.snapshot import Snapshot
from cloudsync.planner.allocate import Pool
from cloudsync.planner.identity import tap_and_mac, uuid_of
from cloudsync.scheduler.homes import Home, home_of, homes


def resolve(cloud: Cloud, placements: Iterable[Placement], snapshot: Snapshot) -> World:
    """Instances on hosts that cannot be asked are left out: nothing is decided about them."""
    existing = homes(snapshot)
    chosen = [
        (cloud.instances[placement.instance], placement.host)
        for placement in sorted(placements, key=lambda one: one.instance)
    ]
    kept = {wanted.name: home_of(wanted, cloud, existing) for wanted, _ in chosen}
    addresses = _addresses(cloud, [wanted for wanted, _ in chosen], kept, existing.values())
    taken = frozenset(home.uuid for home in existing.values())
    instances: dict[str, Instance] = {}
    for wanted, host in chosen:
        home = kept[wanted.name]
        if home is None or home.known:
            instances[wanted.name] = _instance(cloud, wanted, host, home, addresses[wanted.name], taken)
    return World(
        keypairs=dict(sorted(cloud.keypairs.items())),
        groups=dict(sorted(cloud.groups.items())),
        networks=dict(sorted(cloud.networks.items())),
        images=dict(sorted(cloud.images.items())),
        instances=instances,
    )


def _addresses(
    cloud: Cloud, wanted: list[Wanted], kept: dict[str, Home | None], homes: Iterable[Home]
) -> dict[str, tuple[str, ...]]:
    """One address per NIC and instance: written ones first, then those in use, then new ones in name order."""
    used = [address for home in homes for address in home.addresses]
    written = [nic.address for one in wanted for nic in one.nics if nic.address]
    pools = {name: Pool(network, [*used, *written]) for name, network in cloud.networks.items()}
    claimed = set(written)
    found: dict[str, list[str | None]] = {}
    for one in wanted:
        found[one.name] = [
            nic.address or _in_use(kept[one.name], index, nic.network, pools[nic.network], claimed)
            for index, nic in enumerate(one.nics)
        ]
    return {
        one.name: tuple(
            address or pools[nic.network].derive(cloud.name, one.name)
            for nic, address in zip(one.nics, found[one.name], strict=True)
        )
        for one in wanted
    }


def _in_use(home: Home | None, index: int, network: str, pool: Pool, claimed: set[str]) -> str | None:
    """The address that the NIC has now, unless its network changed or another instance's spec claims it."""
    if home is None or index >= len(home.addresses):
        return None
    address = home.addresses[index]
    recorded = home.record.nics[index].network if home.record else network
    if recorded != network or address in claimed or not pool.holds(address):
        return None
    claimed.add(address)
    return address


def _instance(
    cloud: Cloud, wanted: Wanted, host: str, home: Home | None, addresses: tuple[str, ...], taken: frozenset[str]
) -> Instance:
    image = cloud.images[wanted.image]
    incarnation = home.record.incarnation if home and home.record else 0
    uuid = home.uuid if home else ""
    if home is None:
        uuid = uuid_of(cloud.name, wanted.name, incarnation, taken)
    elif _image_of(home) not in (image.sha256, None):
        incarnation += 1
        uuid = uuid_of(cloud.name, wanted.name, incarnation, taken)
    user_data = wanted.user_data
    return Instance(
        name=wanted.name,
        uuid=uuid,
        incarnation=incarnation,
        host=host,
        image=image.sha256,
        image_name=image.name,
        flavor=wanted.flavor.name,
        vcpus=wanted.flavor.vcpus,
        memory=wanted.flavor.memory,
        disk=wanted.flavor.disk,
        nics=_nics(wanted, uuid, addresses),
        groups=tuple(sorted(wanted.groups)),
        keypairs=tuple(sorted(wanted.keypairs)),
        user_data=None if user_data is None else Digest(sha256=sha256(user_data).hexdigest(), size=len(user_data)),
        metadata=dict(sorted(wanted.metadata.items())),
        state=wanted.state,
        protect=wanted.protect,
        availability_zone=cloud.hosts[host].zone,
        launch_index=max(0, wanted.index - 1),
    )


def _image_of(home: Home) -> str | None:
    if home.record:
        return home.record.image
    return home.machine.image if home.machine else None


def _nics(wanted: Wanted, uuid: str, addresses: tuple[str, ...]) -> tuple[Nic, ...]:
    nics = []
    for index, (nic, address) in enumerate(zip(wanted.nics, addresses, strict=True)):
        tap, mac = tap_and_mac(uuid, index)
        nics.append(Nic(network=nic.network, address=address, mac=mac, tap=tap, port_security=nic.port_security))
    return tuple(nics)
