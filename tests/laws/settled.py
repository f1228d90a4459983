"""What must hold on every host once a cloud has been reached: checked on the hosts, not on the plan."""

from ipaddress import IPv4Address, IPv4Network

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.document import HostDocument
from cloudsync.model.resources import Instance, Power
from cloudsync.model.snapshot import Machine
from tests.laws.fleet import Fleet, decide


def assert_settled(fleet: Fleet, cloud: Cloud) -> None:
    """Planning again plans nothing, and the hosts hold exactly what the cloud says."""
    plan = decide(cloud, fleet.observe(cloud)).plan
    assert plan.empty, (plan.changes, plan.drift, plan.steps)
    documents = {name: document for name in cloud.hosts if (document := fleet.hosts[name].state.document)}
    instances = {one.name: one for document in documents.values() for one in document.instances.values()}
    assert instances.keys() == cloud.instances.keys()
    assert fleet.machines() == {one.uuid: one.host for one in instances.values()}
    assert fleet.disks() == {one.uuid for one in instances.values()}
    assert fleet.data().keys() == {disk.id for one in instances.values() for disk in one.disks}
    assert sum(len(host.state.data) for host in fleet.hosts.values()) == len(fleet.data())
    states = [host.state for host in fleet.hosts.values()]
    assert sum(len(state.machines) for state in states) == len(instances), "one is on two hosts"
    assert sum(len(state.disks) for state in states) == len(instances), "a disk is on two hosts"
    for one in instances.values():
        machine = fleet.hosts[one.host].state.machines[one.uuid]
        assert_as_wanted(cloud, cloud.instances[one.name], one, machine)
        sizes = {disk.id: disk.size for disk in one.disks}
        there = {disk: known.size for disk, known in fleet.hosts[one.host].state.data.items() if disk in sizes}
        assert (sizes, machine.attached) == (there, frozenset(sizes))
        wanted = {disk.name: disk.size for disk in cloud.instances[one.name].disks}
        assert {disk.name: disk.size for disk in one.disks} == wanted
    for document in documents.values():
        assert_complete(cloud, document, instances)
    addresses = [nic.address for one in instances.values() for nic in one.nics]
    assert len(addresses) == len(set(addresses))
    assert_images(fleet, cloud)


def assert_as_wanted(cloud: Cloud, wanted: Wanted, one: Instance, machine: Machine) -> None:
    flavor = wanted.flavor
    assert (machine.name, machine.cloud) == (wanted.name, cloud.name)
    # Nobody can tell who switched off what was cut off in the middle of a restart.
    assert machine.power is wanted.state or "state" in wanted.ignore
    assert machine.autostart is (wanted.state is Power.RUNNING), "it follows the spec, whatever is ignored"
    assert (machine.vcpus, machine.memory, machine.disk) == (flavor.vcpus, flavor.memory, flavor.disk)
    assert machine.image == cloud.images[wanted.image].sha256
    assert machine.gateways == tuple(cloud.networks[nic.network].gateway for nic in wanted.nics)
    assert len(machine.nics) == len(wanted.nics)
    for nic, given, (tap, mac, address) in zip(wanted.nics, one.nics, machine.nics, strict=True):
        network = cloud.networks[nic.network]
        assert (given.tap, given.mac, given.address, given.network) == (tap, mac, address, nic.network)
        assert address == (nic.address or address)
        subnet = IPv4Network(network.subnet)
        outside = {subnet[0], subnet[-1], IPv4Address(network.gateway)}
        assert IPv4Address(address) in subnet
        assert IPv4Address(address) not in outside
    assert (one.keypairs, one.metadata) == (tuple(sorted(wanted.keypairs)), wanted.metadata)
    assert set(one.groups) == set(wanted.groups)
    assert one.floating == ((wanted.floating,) if wanted.floating else ())


def assert_complete(cloud: Cloud, document: HostDocument, instances: dict[str, Instance]) -> None:
    """Everything that is shared is in each host's document."""
    assert document.groups == cloud.groups
    assert document.networks == cloud.networks
    assert document.keypairs == cloud.keypairs
    assert document.directory.keys() == instances.keys()
    for name, entry in document.directory.items():
        one = instances[name]
        assert (entry.uuid, entry.host) == (one.uuid, one.host)
        assert entry.addresses == tuple(nic.address for nic in one.nics)
        assert entry.floating == one.floating
    remotes = {rule.remote for group in cloud.groups.values() for rule in group.rules}
    for remote in remotes:
        kind, _, name = remote.partition(".")
        members = [
            nic.address
            for one in instances.values()
            if (kind == "group" and name in one.groups) or (kind == "instance" and name == one.name)
            for nic in one.nics
        ]
        if kind in ("group", "instance"):
            assert sorted(document.members.get(remote, ())) == sorted(members)


def assert_images(fleet: Fleet, cloud: Cloud) -> None:
    """The cache holds what machines stand on, and nothing that the spec does not name."""
    named = {image.sha256 for image in cloud.images.values()}
    for name in cloud.hosts:
        state = fleet.hosts[name].state
        needed = {machine.image for machine in state.machines.values()}
        assert needed <= state.images.keys()
        assert state.images.keys() <= needed | named
