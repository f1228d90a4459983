"""A cloud as it is now: as text for people, as JSON for scripts."""

from collections.abc import Iterator, Mapping
from typing import Any

from cloudsync.model.cloud import Cloud
from cloudsync.model.resources import Instance, Power
from cloudsync.model.size import size
from cloudsync.model.snapshot import HostState, Snapshot, Usage
from cloudsync.planner.adrift import Adrift, at_rest
from cloudsync.planner.show import seed
from cloudsync.planner.unfinished import REASON
from cloudsync.render.loss import survival, survival_text
from cloudsync.render.table import table
from cloudsync.scheduler.homes import out_of_reach
from cloudsync.scheduler.loss import Loss, living, losses
from cloudsync.scheduler.room import limit
from cloudsync.scheduler.transit import Transit, transit
from cloudsync.spec.words import printable

FORMAT_VERSION = 1
UNKNOWN = "unknown"
"""The state of an instance whose host cannot be asked."""
_MANY = 100
"""Hosts up to which a status says what losing one would mean."""
_COLUMNS = ("INSTANCE", "STATE", "HOST", "ADDRESS", "IMAGE", "FLAVOR", "GROUPS", "BOOT", "REMARKS")
GIVEN_UP = "a copy that was given up while its host could not be asked"


def document(cloud: Cloud, snapshot: Snapshot) -> dict[str, Any]:
    """For scripts, as schemas/status.schema.json describes it."""
    applied = snapshot.deployed(cloud.name)
    moving, adrift = transit(snapshot.hosts), Adrift(cloud, snapshot.hosts)
    deployed = (
        {"commit": applied.commit, "dirty": applied.dirty, "by": applied.by, "at": applied.at} if applied else None
    )
    return {
        "format_version": FORMAT_VERSION,
        "cloud": cloud.name,
        "deployed": deployed,
        "hosts": [_host(host, adrift) for host in _all(snapshot)],
        "instances": [
            row for host in _all(snapshot) for row in (*_instances(cloud, host, moving, adrift), *_stale(host))
        ]
        + _away(cloud, snapshot),
        "loss": survival(_losses(cloud, snapshot)) if _asked(snapshot) else None,
    }


def text(cloud: Cloud, snapshot: Snapshot) -> str:
    """Hosts, instances, drift, and which commit is deployed."""
    parts = [printable(f"cloud {cloud.name}: {_deployed(cloud, snapshot)}"), "", _host_table(cloud, snapshot)]
    moving, adrift = transit(snapshot.hosts), Adrift(cloud, snapshot.hosts)
    rows = [row for host in _all(snapshot) for row in _instance_rows(cloud, host, moving, adrift)]
    rows += _away_rows(snapshot)
    rows += [_stale_row(row) for host in _all(snapshot) for row in _stale(host)]
    if rows:
        parts += ["", table(_COLUMNS, rows)]
    if rows and _asked(snapshot):
        parts += ["", survival_text(_losses(cloud, snapshot))]
    elif rows and len(snapshot.hosts) > _MANY:
        parts += ["", f"What losing one of more than {_MANY} hosts means: cloudsync plan --what-if-lost HOST"]
    problems = [f"host.{host.name}: {one}" for host in _all(snapshot) for one in host.obstacles]
    if problems:
        parts += ["", "Problems (`cloudsync doctor` shows the fix)", *(f"  ! {printable(line)}" for line in problems)]
    drift = [f"{item.address}  {item.host}: {item.message}  ({item.remedy})" for item in adrift.found]
    if drift:
        parts += ["", "Drift (changed outside cloudsync)", *(f"  ! {printable(line)}" for line in drift)]
    return "\n".join(parts) + "\n"


def _asked(snapshot: Snapshot) -> bool:
    """The price of the answer grows with the square of the hosts, and one host has no others."""
    return 1 < len(snapshot.hosts) <= _MANY


def _losses(cloud: Cloud, snapshot: Snapshot) -> Iterator[Loss]:
    return losses(cloud, snapshot, living(cloud, snapshot))


def used(host: HostState) -> Usage:
    """What all machines take, ours and others."""
    ours = host.machines.values()
    return Usage(
        vcpus=host.foreign.vcpus + sum(machine.vcpus for machine in ours),
        memory=host.foreign.memory + sum(machine.memory for machine in ours),
        disk=host.foreign.disk + sum(machine.disk for machine in ours) + sum(host.data.values()),
    )


def health(host: HostState, instance: Instance, adrift: Adrift) -> tuple[str, tuple[str, ...]]:
    """The power word, and what is wrong."""
    machine = host.machines.get(instance.uuid)
    problems = [one.message for one in adrift.of(host.name, instance)]
    why = REASON if adrift.unfinished(instance) else ""
    if machine is None:
        return "missing", tuple(problems) or (": ".join(("the machine is not there", *filter(None, (why,)))),)
    told = f", should be {instance.state.value}"
    if machine.power is not instance.state and not any(one.endswith(told) for one in problems):
        why = why or ("its state is ignored" if "state" in instance.ignore else "")
        problems.append(": ".join((f"it is {machine.power.value}{told}", *filter(None, (why,)))))
    elif why and not problems:
        problems.append(why)
    boot = host.boots.get(instance.uuid)
    if boot and boot.failures:
        problems.append(f"cloud-init: {', '.join(boot.failures)} failed")
    if boot and boot.other_keys:
        problems.append("somebody in it reported other ssh host keys later; the first ones count")
    if instance.seed:
        problems.append(f"runs on {seed(instance.seed)}")
    return machine.power.value, tuple(problems)


def why_not(hosts: Mapping[str, HostState], name: str) -> str:
    """Why what is on host `name` cannot be told: `kvm-2, which is unreachable: its agent does not answer`."""
    if name not in hosts:
        return f"{name}, which is not in the spec"
    host = hosts[name]
    return f"{name}, which is {host.status.value}" + (f": {host.reason}" if host.reason else "")


def _host(host: HostState, adrift: Adrift) -> dict[str, object]:
    load, capacity = (used(host), host.capacity) if host.reachable else (None, None)
    return {
        "name": host.name,
        "status": host.status.value,
        "reason": host.reason,
        "capacity": capacity and {"vcpus": capacity.vcpus, "memory": capacity.memory, "disk": capacity.disk},
        "used": load and {"vcpus": load.vcpus, "memory": load.memory, "disk": load.disk},
        "problems": [str(one) for one in host.obstacles],
        "drift": [
            {"address": item.address, "message": item.message, "remedy": item.remedy} for item in adrift.on(host.name)
        ],
    }


def _recorded(host: HostState, moving: Transit, adrift: Adrift) -> Iterator[tuple[str, Instance, str, tuple[str, ...]]]:
    """(name, record, power word, problems) of what is on the host: what it only has a record of is told elsewhere."""
    for name, instance in sorted(host.document.instances.items() if host.document else ()):
        if (host.name, instance.uuid) not in moving.shadows:
            state, problems = health(host, instance, adrift)
            told = moving.told.get((host.name, instance.uuid))
            yield name, instance, state, (*problems, told) if told else problems


def _instances(cloud: Cloud, host: HostState, moving: Transit, adrift: Adrift) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, instance, state, problems in _recorded(host, moving, adrift):
        boot = host.boots.get(instance.uuid)
        rows.append(
            {
                "name": name,
                "uuid": instance.uuid,
                "host": host.name,
                "state": state,
                "addresses": _addresses(instance),
                "image": instance.image_name,
                "flavor": instance.flavor,
                "disks": [{"name": disk.name, "size": disk.size} for disk in instance.disks],
                "groups": list(instance.groups),
                "booted": bool(boot and boot.finished),
                "paused": at_rest(cloud, name),
                "problems": list(problems),
            }
        )
    return rows


def _stale(host: HostState) -> list[dict[str, object]]:
    """Copies that were given up while the host was silent."""
    return [
        {
            "name": one.name,
            "uuid": uuid,
            "host": host.name,
            "state": one.machine.power.value if one.machine else "missing",
            "addresses": [],
            "image": None,
            "flavor": None,
            "disks": None,
            "groups": None,
            "booted": None,
            "paused": False,
            "problems": [GIVEN_UP if one.rests else f"{GIVEN_UP}; the next apply stops it"],
        }
        for uuid, one in host.stale.items()
    ]


def _away(cloud: Cloud, snapshot: Snapshot) -> list[dict[str, object]]:
    """Instances of hosts that cannot be asked: all that is known is what the directories of other hosts hold."""
    return [
        {
            "name": home.name,
            "uuid": home.uuid,
            "host": home.host,
            "state": UNKNOWN,
            "addresses": [*home.addresses, *home.floating],
            "image": None,
            "flavor": None,
            "disks": None,
            "groups": None,
            "booted": None,
            "paused": at_rest(cloud, home.name),
            "problems": [f"it is on {why_not(snapshot.hosts, home.host)}"],
        }
        for home in out_of_reach(snapshot.hosts)
    ]


def _away_rows(snapshot: Snapshot) -> list[tuple[str, ...]]:
    return [
        (home.name, UNKNOWN, home.host, " ".join((*home.addresses, *home.floating)), "?", "?", "?", "?", "")
        for home in out_of_reach(snapshot.hosts)
    ]


def _stale_row(row: dict[str, object]) -> tuple[str, ...]:
    return (str(row["name"]), str(row["state"]), str(row["host"]), "", "?", "?", "?", "?", GIVEN_UP)


def _addresses(instance: Instance) -> list[str]:
    """Its own, then those that lead to it from outside."""
    return [*(nic.address for nic in instance.nics), *instance.floating]


def _instance_rows(cloud: Cloud, host: HostState, moving: Transit, adrift: Adrift) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, instance, state, problems in _recorded(host, moving, adrift):
        addresses = " ".join(_addresses(instance))
        remarks = "; ".join((*problems, *(("left alone: paused",) if at_rest(cloud, name) else ())))
        flavor = " + ".join((instance.flavor, *(f"{disk.name} {size(disk.size)}" for disk in instance.disks)))
        made = (instance.image_name, flavor, ",".join(instance.groups))
        rows.append((name, state, host.name, addresses, *made, _boot(host, instance), remarks))
    return rows


def _boot(host: HostState, instance: Instance) -> str:
    """What its guest says of it; of a machine that does not run nothing more is awaited."""
    boot, machine = host.boots.get(instance.uuid), host.machines.get(instance.uuid)
    if boot and boot.finished:
        return "done"
    runs = machine is not None and machine.power is Power.RUNNING
    return (boot.stage if boot else "") or ("nothing heard yet" if runs else "")


def _host_table(cloud: Cloud, snapshot: Snapshot) -> str:
    """`used of limit`, as `host list` has it: overcommit and what is reserved count in."""
    rows = []
    for host in _all(snapshot):
        load = used(host)
        if host.reachable:
            known = cloud.hosts.get(host.name)
            most = limit(known, host) if known else host.capacity
            cpu = f"{load.vcpus} of {most.vcpus}"
            memory = f"{size(load.memory)} of {size(most.memory)}"
            disk = f"{size(load.disk)} of {size(most.disk)}"
        else:
            cpu, memory, disk = "?", "?", "?"
        rows.append((host.name, host.status.value, cpu, memory, disk, host.reason))
    return table(("HOST", "STATUS", "VCPUS", "MEMORY", "DISK", ""), rows)


def _all(snapshot: Snapshot) -> list[HostState]:
    return [host for _, host in sorted(snapshot.hosts.items())]


def _deployed(cloud: Cloud, snapshot: Snapshot) -> str:
    applied = snapshot.deployed(cloud.name)
    if applied is None and not all(host.reachable for host in _all(snapshot)):
        return "what is deployed cannot be asked"
    if applied is None:
        return "nothing deployed yet"
    commit = (
        f"commit {applied.commit[:12]}{' with local changes' if applied.dirty else ''}"
        if applied.commit
        else "no commit"
    )
    return f"{commit}, applied by {applied.by} at {applied.at}"
