"""Plans to look at: NAME -> what was there and what is wanted. Each has its text in cases/NAME/plan.txt."""

from collections.abc import Callable
from dataclasses import replace

from cloudsync.model.cloud import (
    Cloud,
    Expectation,
    Flavor,
    Host,
    PlacementGroup,
    Update,
    Wanted,
    WantedDisk,
    WantedNic,
    Where,
)
from cloudsync.model.plan import Plan
from cloudsync.model.problem import Place
from cloudsync.model.resources import Keypair, Power
from cloudsync.model.snapshot import Drift, HostState, HostStatus, Snapshot, Traces, Usage
from tests.laws.fleet import Fleet, decide
from tests.planner.build import (
    ADMIN,
    GIB,
    HTTPS,
    LARGE,
    MIB,
    PEERS,
    SMALL,
    changed,
    cloud,
    group,
    image,
    instance,
    network,
    without,
)

SPREAD = {"spread": PlacementGroup(name="spread", policy="anti-affinity")}
WEB = Where(group="spread")
BEFORE = cloud(
    instance("web-1", base="web", index=1, where=WEB, groups=("default", "web")),
    instance("web-2", base="web", index=2, where=WEB, groups=("default", "web")),
    instance("db", flavor=replace(LARGE, name="large")),
    instance("old"),
    hosts=("kvm-1", "kvm-2", "kvm-3"),
    placement_groups=SPREAD,
)


def settled(whole: Cloud) -> Fleet:
    fleet = Fleet()
    outcome = fleet.apply(decide(whole, fleet.observe(whole)).plan, whole)
    assert not outcome.failed, fleet.failures
    return fleet


def after(before: Cloud, wanted: Cloud) -> Plan:
    fleet = settled(before)
    return decide(wanted, fleet.observe(wanted)).plan


def first_apply() -> Plan:
    return decide(BEFORE, Fleet().observe(BEFORE)).plan


def nothing_to_do() -> Plan:
    return after(BEFORE, BEFORE)


def a_busy_day() -> Plan:
    """A bit of everything, with a host that does not answer."""
    wanted = changed(BEFORE, "db", flavor=Flavor(name="larger", vcpus=4, memory=16 * GIB, disk=40 * GIB))
    wanted = replace(
        changed(wanted, "old", image="noble"),
        images={**BEFORE.images, "noble": image("noble")},
        groups={**BEFORE.groups, "web": group("web", ADMIN, *BEFORE.groups["web"].rules)},
        keypairs={"bob": Keypair(name="bob", public_key="ssh-ed25519 AAAAbob bob@desk")},
    )
    more = instance("web-3", base="web", index=3, where=WEB, groups=("default", "web"))
    wanted = replace(wanted, instances={**wanted.instances, "web-3": more})
    fleet = settled(BEFORE)
    snapshot = fleet.observe(wanted)
    return decide(wanted, _lost(snapshot, "kvm-2")).plan


def _lost(snapshot: Snapshot, name: str) -> Snapshot:
    gone = HostState(name=name, status=HostStatus.UNREACHABLE, reason="connection refused")
    return Snapshot(hosts={**snapshot.hosts, name: gone})


def no_place() -> Plan:
    giant = Flavor(name="giant", vcpus=2, memory=12 * GIB, disk=10 * GIB)
    hosts = (
        Host(name="kvm-1", uri="sim:", reserved=Usage(memory=250 * GIB)),
        Host(name="kvm-2", uri="sim:", state=HostStatus.CORDONED),
    )
    return decide(*_empty(cloud(instance("db", flavor=giant), instance("web"), hosts=hosts))).plan


def _empty(whole: Cloud) -> tuple[Cloud, Snapshot]:
    return whole, Fleet().observe(whole)


def drift() -> Plan:
    fleet = settled(BEFORE)
    for name, host in fleet.hosts.items():
        off = {
            uuid: replace(machine, power=Power.STOPPED) if machine.name == "web-1" else machine
            for uuid, machine in host.state.machines.items()
        }
        fleet.hosts[name].state = replace(host.state, machines=off)
    snapshot = fleet.observe(BEFORE)
    lost = Drift(address="group.web", host="kvm-1", message="rule tcp/443 from any is missing")
    first = replace(snapshot.hosts["kvm-1"], drift=(lost,))
    return decide(BEFORE, Snapshot(hosts={**snapshot.hosts, "kvm-1": first})).plan


def meddled(name: str, fleet: Fleet, **fields: object) -> None:
    """A machine that somebody changed behind cloudsync's back."""
    for host in fleet.hosts.values():
        machines = {
            uuid: replace(one, **fields) if one.name == name else one  # type: ignore[arg-type]
            for uuid, one in host.state.machines.items()
        }
        host.state = replace(host.state, machines=machines)


def other_hands() -> Plan:
    """Definitions that were changed, on and off the running machine; a saved one, and one on a snapshot's disk."""
    fleet = settled(BEFORE)
    e1000 = ("network card 1: model=e1000 instead of model=virtio",)
    meddled("web-1", fleet, traces=Traces(definition=e1000))
    meddled("web-2", fleet, traces=Traces(definition=e1000, running=("disk vdb is new (source=/srv/x.img)",)))
    meddled("db", fleet, power=Power.STOPPED, traces=Traces(saved=True))
    meddled("old", fleet, traces=Traces(disk="/var/lib/libvirt/images/snap.qcow2", snapshots=True))
    return decide(BEFORE, fleet.observe(BEFORE)).plan


def left_alone() -> Plan:
    """What is paused or ignored, and what runs on older user-data: none of it is counted."""
    fleet = settled(BEFORE)
    meddled("db", fleet, power=Power.STOPPED)
    meddled("old", fleet, power=Power.PAUSED)
    wanted = changed(BEFORE, "db", flavor=replace(LARGE, name="larger", vcpus=6), image="other")
    wanted = changed(wanted, "old", ignore=("state",), user_data=b"#cloud-config\n")
    fleet.apply(decide(changed(wanted, "db", image="debian"), fleet.observe(wanted)).plan, wanted)
    meddled("db", fleet, power=Power.STOPPED)
    meddled("old", fleet, power=Power.PAUSED)
    wanted = replace(wanted, images={**BEFORE.images, "other": image("other")}, paused=frozenset({"db", "web"}))
    return decide(wanted, fleet.observe(wanted)).plan


def renamed_and_counted() -> Plan:
    before = cloud(instance("web"), instance("database"))
    web = [instance(f"web-{n}", base="web", index=n, was=("web",) if n == 1 else ()) for n in (1, 2)]
    return after(before, cloud(*web, instance("db", was=("database",))))


def another_subnet() -> Plan:
    return after(BEFORE, replace(BEFORE, networks={"default": network("10.30.0.0/24", "10.30.0.1")}))


def everything_goes() -> Plan:
    return after(BEFORE, replace(without(BEFORE, *BEFORE.instances), images={}, networks={}, keypairs={}, groups={}))


def guests_are_told_later() -> Plan:
    wanted = changed(BEFORE, "db", user_data=b"#cloud-config\n", metadata={"role": "db"}, state=Power.STOPPED)
    return after(BEFORE, replace(wanted, groups={**wanted.groups, "web": group("web", PEERS)}))


def network_cards() -> Plan:
    """One comes, one goes, two change places, one is opened, and a new instance has several."""
    nets = {"default": network(), "back": network("10.30.0.0/24", "10.30.0.1", "back")}
    front, back = WantedNic(network="default"), WantedNic(network="back")
    before = {"comes": (front,), "goes": (front, back), "moves": (front, back), "opens": (front, back)}
    after_ = {
        "comes": (front, back),
        "goes": (back,),
        "moves": (back, front),
        "opens": (front, replace(back, port_security=False)),
        "new": (front, front, replace(back, port_security=False)),
    }
    old, new = (cloud(*(instance(name, nics=one) for name, one in w.items()), networks=nets) for w in (before, after_))
    return after(old, new)


def an_expectation_is_broken() -> Plan:
    """Of three one holds, one is broken by a rule, and one for want of one."""
    found = replace(BEFORE, places={"expect/1": Place("cloud.yaml", 40, 3), "group.web": Place("cloud.yaml", 12, 3)})
    ends = (
        ("deny", "internet", "instance.db"),
        ("deny", "internet", "group.web"),
        ("allow", "instance.db", "group.web"),
    )
    claims = [
        Expectation(key=f"expect/{at}", allow=kind == "allow", source=one, target=other, protocol="tcp", port=443)
        for at, (kind, one, other) in enumerate(ends)
    ]
    wanted = replace(found, groups={**found.groups, "default": group("default", HTTPS)}, expectations=tuple(claims))
    return after(
        BEFORE, replace(wanted, instances={**wanted.instances, "db": replace(wanted.instances["db"], groups=())})
    )


def floating_addresses() -> Plan:
    """One moves between instances that stay, one from an instance that goes to a new one, one is given up."""
    before = cloud(
        instance("a", floating="203.0.113.10"),
        instance("b"),
        instance("old", floating="203.0.113.11"),
        instance("quiet", floating="203.0.113.12"),
        hosts=("kvm-1",),
    )
    wanted = changed(without(before, "old"), "a", floating=None)
    wanted = changed(changed(wanted, "b", floating="203.0.113.10"), "quiet", floating=None)
    new = instance("new", floating="203.0.113.11")
    return after(before, replace(wanted, instances={**wanted.instances, "new": new}))


def other_sizes() -> Plan:
    """Live, or not and why; the guest of `silent` has said nothing of what it takes in."""
    sizes = {
        "bigger": replace(SMALL, vcpus=2, memory=1 * GIB, disk=8 * GIB),
        "silent": replace(SMALL, vcpus=2, memory=1 * GIB),
        "smaller": replace(SMALL, memory=256 * MIB),
        "wide": replace(SMALL, vcpus=8, memory=4 * GIB),
    }
    before = cloud(*(instance(name) for name in sizes), hosts=("kvm-1",))
    wanted = before
    for name, flavor in sizes.items():
        wanted = changed(wanted, name, flavor=flavor)
    host = settled(before).observe(wanted).hosts["kvm-1"]
    quiet = {uuid for uuid, machine in host.machines.items() if machine.name == "silent"}
    boots = {uuid: replace(boot, grows=uuid not in quiet) for uuid, boot in host.boots.items()}
    return decide(wanted, Snapshot(hosts={"kvm-1": replace(host, boots=boots)})).plan


def data_disks() -> Plan:
    """One comes and one grows; one goes; one stays through a replace; a new instance has some, and one takes its along
    when it is removed."""
    data, logs = WantedDisk(name="data", size=10 * GIB), WantedDisk(name="logs", size=5 * GIB)
    before = {"grows": (data,), "less": (data, logs), "anew": (data,), "old": (data, logs)}
    now = {"grows": (replace(data, size=20 * GIB), logs), "less": (logs,), "anew": (data,), "new": (data, logs)}
    images = {name: image(name) for name in ("debian", "noble")}
    old, new = (
        cloud(*(instance(name, disks=disks) for name, disks in each.items()), hosts=("kvm-1",), images=images)
        for each in (before, now)
    )
    return after(old, changed(new, "anew", image="noble"))


def a_roll() -> Plan:
    """One by one after a new one is there; a placement group beside it by twos; a third has nothing to lose."""
    kinds = {"near": PlacementGroup(name="near", policy="soft-affinity", update=Update(max_unavailable=2))}
    flavor = replace(LARGE, name="larger", memory=LARGE.memory // 2)

    def web(count: int, image: str) -> list[Wanted]:
        numbers = range(1, count + 1)
        return [instance(f"web-{n}", base="web", index=n, image=image, update=Update()) for n in numbers]

    def near(flavor: Flavor) -> list[Wanted]:
        return [instance(f"near-{n}", where=Where(group="near"), flavor=flavor) for n in "abcdefg"]

    images = {one.name: one for one in (image("debian"), image("noble"))}
    before = cloud(*web(2, "debian"), *near(LARGE), images=images, placement_groups=kinds)
    return after(before, cloud(*web(3, "noble"), *near(flavor), images=images, placement_groups=kinds))


CASES: dict[str, Callable[[], Plan]] = {
    one.__name__.replace("_", "-"): one
    for one in (
        first_apply,
        nothing_to_do,
        a_busy_day,
        no_place,
        drift,
        other_hands,
        left_alone,
        renamed_and_counted,
        another_subnet,
        everything_goes,
        guests_are_told_later,
        network_cards,
        an_expectation_is_broken,
        floating_addresses,
        other_sizes,
        data_disks,
        a_roll,
    )
}
