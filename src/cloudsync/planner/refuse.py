"""What a plan never does: all of it at once, with the place in the spec."""

from collections.abc import Iterable

from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import Problem, SpecError
from cloudsync.model.size import size
from cloudsync.planner.seen import Pair


def refuse(cloud: Cloud, pairs: Iterable[Pair]) -> None:
    """Raise SpecError when a change is one that is never made."""
    problems = [problem for pair in pairs for check in CHECKS if (problem := check(cloud, pair))]
    if problems:
        raise SpecError(problems)


def _protected(cloud: Cloud, pair: Pair) -> Problem | None:
    guarded = (pair.record and pair.record.protect) or (pair.wanted and pair.wanted.protect)
    if pair.home is None or not guarded or not (pair.wanted is None or pair.replaced):
        return None
    verb = "deleted" if pair.wanted is None else "replaced"
    return _problem(
        cloud, pair, f"instance.{pair.home.name} is protected and would be {verb}", "apply `protect: false` first"
    )


def _shrunk(cloud: Cloud, pair: Pair) -> Problem | None:
    if pair.wanted is None or pair.home is None or pair.replaced:
        return None
    has = max(pair.record.disk if pair.record else 0, pair.machine.disk if pair.machine else 0)
    if pair.wanted.disk >= has:
        return None
    text = f"instance.{pair.wanted.name}'s disk is {size(has)}: it cannot shrink to {size(pair.wanted.disk)}"
    return _problem(cloud, pair, text, "use a flavor with a larger disk, or make a new instance and move the data")


def _moved(cloud: Cloud, pair: Pair) -> Problem | None:
    if pair.wanted is None or pair.home is None:
        return None
    where, host = cloud.instances[pair.wanted.name].where, cloud.hosts[pair.home.host]
    wrong = ""
    if where.host and where.host != host.name:
        wrong = f"host.{where.host}"
    elif where.zone and where.zone != host.zone:
        wrong = f"zone {where.zone}"
    elif any(host.labels.get(key) != value for key, value in where.labels.items()):
        wrong = "hosts with " + ", ".join(f"{key}={value}" for key, value in sorted(where.labels.items()))
    if not wrong:
        return None
    text = f"instance.{pair.wanted.name} is on host.{host.name}, the spec wants {wrong}: this version cannot move it"
    return _problem(cloud, pair, text, f"take the constraint back, or keep it to what host.{host.name} is")


def _problem(cloud: Cloud, pair: Pair, message: str, hint: str) -> Problem:
    wanted = cloud.instances.get(pair.wanted.name) if pair.wanted else None
    return Problem(message=message, hint=hint, place=cloud.places.get(f"instance.{wanted.base}") if wanted else None)


CHECKS = (_protected, _shrunk, _moved)
