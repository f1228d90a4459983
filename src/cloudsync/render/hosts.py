"""What each host has, what is promised of it, and how full that makes it: `host list`."""

from collections import Counter
from typing import Any

from cloudsync.model.cloud import Cloud
from cloudsync.model.size import size
from cloudsync.model.snapshot import Snapshot, Usage
from cloudsync.render.status import used
from cloudsync.render.table import table
from cloudsync.scheduler.homes import out_of_reach
from cloudsync.scheduler.room import Room, limit
from cloudsync.scheduler.scores import Load
from cloudsync.scheduler.standing import standing

FORMAT_VERSION = 1


def document(cloud: Cloud, snapshot: Snapshot) -> dict[str, Any]:
    """As schemas/hosts.schema.json describes it."""
    rows = []
    hosts = standing(cloud, snapshot)
    away = Counter(home.host for home in out_of_reach(hosts))
    load = Load(cloud, ())
    told = any(state.reachable and state.document for state in hosts.values())
    for name, state in hosts.items():
        host = cloud.hosts[name]
        known = state.reachable
        most, taken = limit(host, state), used(state)
        room = Room(host, state, most, taken.vcpus, taken.memory, taken.disk)
        rows.append(
            {
                "name": name,
                "status": state.status.value,
                "reason": state.reason,
                "zone": host.zone,
                "labels": dict(sorted(host.labels.items())),
                "capacity": _usage(state.capacity) if known else None,
                "limit": _usage(most) if known else None,
                "used": _usage(taken) if known else None,
                "load": _load(most, taken) if known else None,
                "full": round(load.full(room), 3) if known else None,
                "instances": len(state.machines) if known else away[name] if told else None,
            }
        )
    return {"format_version": FORMAT_VERSION, "cloud": cloud.name, "hosts": rows}


def text(cloud: Cloud, snapshot: Snapshot) -> str:
    """`used of limit` for each resource: what may be promised, overcommit and what is reserved counted in. LOAD is what
    `host rebalance` evens out: the mean of the three, each with its weight in the spec."""
    rows = []
    for row in document(cloud, snapshot)["hosts"]:
        labels = " ".join(f"{key}={value}" for key, value in row["labels"].items())
        count = "?" if row["instances"] is None else str(row["instances"])
        if row["used"] is None:
            told = (count, *("?",) * 4)
        else:
            have, most = row["used"], row["limit"]
            told = (
                count,
                f"{have['vcpus']} of {most['vcpus']}",
                f"{size(have['memory'])} of {size(most['memory'])}",
                f"{size(have['disk'])} of {size(most['disk'])}",
                f"{row['full']:.0%}",
            )
        rows.append((row["name"], row["status"], row["zone"], labels, *told, row["reason"]))
    return table(("HOST", "STATUS", "ZONE", "LABELS", "INSTANCES", "VCPUS", "MEMORY", "DISK", "LOAD", ""), rows) + "\n"


def _usage(one: Usage) -> dict[str, int]:
    return {"vcpus": one.vcpus, "memory": one.memory, "disk": one.disk}


def _load(most: Usage, taken: Usage) -> dict[str, float]:
    """Shares of what may be taken; more than 1 when a host is overfull."""
    return {
        "vcpus": round(taken.vcpus / max(1, most.vcpus), 3),
        "memory": round(taken.memory / max(1, most.memory), 3),
        "disk": round(taken.disk / max(1, most.disk), 3),
    }
