"""Small random fleets, nearly full, and what CP-SAT makes of them: the same rules written down a second time."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from random import Random

from ortools.sat.python import cp_model

from cloudsync.model.cloud import Cloud, Flavor, Host, Overcommit, PlacementGroup, Scheduler, Wanted, Where
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot, Usage
from tests.planner.build import GIB, cloud, instance

SHAPES = (
    Flavor(name="small", vcpus=1, memory=2 * GIB, disk=10 * GIB),
    Flavor(name="medium", vcpus=2, memory=4 * GIB, disk=20 * GIB),
    Flavor(name="wide", vcpus=6, memory=3 * GIB, disk=10 * GIB),
    Flavor(name="large", vcpus=4, memory=11 * GIB, disk=40 * GIB),
    Flavor(name="deep", vcpus=1, memory=5 * GIB, disk=90 * GIB),
)
SIZES = (Usage(vcpus=8, memory=24 * GIB, disk=200 * GIB), Usage(vcpus=12, memory=32 * GIB, disk=300 * GIB))


def fleet(seed: int, strategy: str) -> tuple[Cloud, Snapshot]:
    """Three to six hosts in two zones, some with a label, filled to between 60 and 90 % of the memory."""
    random = Random(seed)  # noqa: S311
    hosts = [_host(random, number) for number in range(random.randint(3, 6))]
    sizes = {host.name: random.choice(SIZES) for host in hosts}
    most = sum(size.memory for size in sizes.values()) * random.uniform(0.6, 0.9)
    groups = {
        "apart": PlacementGroup(name="apart", policy="anti-affinity", max_per_host=1),
        "two": PlacementGroup(name="two", policy="anti-affinity", max_per_host=2),
        "close": PlacementGroup(name="close", policy="affinity"),
    }
    wanted = list(_instances(random, most, _rooms(groups, len(hosts))))
    zones = {host.zone for host in hosts}
    wanted = [one for one in wanted if one.where.zone in (None, *zones)]
    states = {name: HostState(name=name, status=HostStatus.READY, capacity=size) for name, size in sizes.items()}
    whole = cloud(*wanted, hosts=hosts, placement_groups=groups, scheduler=Scheduler(strategy=strategy))
    return whole, Snapshot(hosts=states)


def fewest(whole: Cloud, snapshot: Snapshot) -> int | None:
    """How many hosts have to be used, None when no placement obeys every rule."""
    model = cp_model.CpModel()
    on = {
        (name, host): model.new_bool_var(f"{name} on {host}")
        for name, wanted in whole.instances.items()
        for host in whole.hosts
        if _may(wanted, whole.hosts[host])
    }
    for name in whole.instances:
        model.add_exactly_one(on[name, host] for host in whole.hosts if (name, host) in on)
    used = {host: model.new_bool_var(f"{host} used") for host in whole.hosts}
    for host in whole.hosts:
        here = {name: var for (name, where), var in on.items() if where == host}
        _fits(model, whole, whole.hosts[host], snapshot.hosts[host].capacity, here)
        for var in here.values():
            model.add_implication(var, used[host])
        for group in whole.placement_groups.values():
            members = [name for name, one in whole.instances.items() if one.where.group == group.name]
            if group.policy == "anti-affinity":
                model.add(sum(here[name] for name in members if name in here) <= group.max_per_host)
            else:
                for one, other in pairwise(members):
                    model.add(here.get(one, 0) == here.get(other, 0))
    model.minimize(sum(used.values()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = 5
    answer = solver.solve(model)
    if answer == cp_model.INFEASIBLE:
        return None
    assert answer == cp_model.OPTIMAL, solver.status_name(answer)
    return round(solver.objective_value)


def _host(random: Random, number: int) -> Host:
    labels = {"disk": "nvme"} if random.random() < 0.5 else {}
    zone = random.choice(("a", "b"))
    whole = Overcommit(vcpus=random.choice((1.0, 2.0)))
    return Host(name=f"h{number}", uri="sim:", zone=zone, labels=labels, reserved=Usage(), overcommit=whole)


def _rooms(groups: Mapping[str, PlacementGroup], hosts: int) -> dict[str, int]:
    """How many members each group may have at most."""
    return {"apart": hosts - 1, "two": hosts, "close": 3}


def _instances(random: Random, most: float, rooms: dict[str, int]) -> Iterator[Wanted]:
    number, taken = 0, 0
    while taken < most - 4 * GIB:
        shape = random.choice(SHAPES)
        group = random.choice((None, None, *rooms))
        if group and not rooms[group]:
            group = None
        if group:
            rooms[group] -= 1
        where = Where(
            zone=random.choice((None, None, None, "a", "b")) if group != "close" else None,
            labels={"disk": "nvme"} if random.random() < 0.15 else {},
            group=group,
        )
        yield instance(f"x-{number:02}", flavor=shape, where=where)
        number, taken = number + 1, taken + shape.memory


def _may(wanted: Wanted, host: Host) -> bool:
    return (wanted.where.zone or host.zone) == host.zone and wanted.where.labels.items() <= host.labels.items()


def _fits(model: cp_model.CpModel, whole: Cloud, host: Host, raw: Usage, here: dict[str, cp_model.IntVar]) -> None:
    """Nothing is reserved, and only CPUs are overcommitted."""
    vcpus = int(raw.vcpus * host.overcommit.vcpus)
    flavors = {name: whole.instances[name].flavor for name in here}
    model.add(sum(var * (flavors[name].memory // GIB) for name, var in here.items()) <= raw.memory // GIB)
    model.add(sum(var * (flavors[name].disk // GIB) for name, var in here.items()) <= raw.disk // GIB)
    model.add(sum(var * flavors[name].vcpus for name, var in here.items()) <= vcpus)
