"""What the death of a host would mean, and moves that are proposed: as text for people, as JSON for scripts."""

from collections.abc import Iterable, Sequence
from typing import Any

from cloudsync.model.cloud import Cloud
from cloudsync.render.names import listed
from cloudsync.render.plan_text import refused
from cloudsync.render.table import table
from cloudsync.scheduler.loss import Loss, worst
from cloudsync.scheduler.rebalance import Move
from cloudsync.spec.words import printable, some

FORMAT_VERSION = 1
_FEW = 6


def document(cloud: Cloud, loss: Loss) -> dict[str, Any]:
    """As schemas/loss.schema.json describes it."""
    homes = [
        {
            "instance": one.instance,
            "host": one.host,
            "runner_up": one.runner_up,
            "refusals": dict(one.refusals),
            "refusing": max(one.refusing, len(one.refusals)),
        }
        for one in loss.homes
    ]
    homeless = [{"instance": one.instance, "refusals": dict(one.refusals)} for one in loss.homeless]
    head = {"format_version": FORMAT_VERSION, "cloud": cloud.name, "host": loss.host}
    return {**head, "homes": homes, "homeless": homeless}


def text(loss: Loss) -> str:
    """One line for each of its instances, and one that sums it up."""
    lines = []
    for home in loss.homes:
        notes = [*refused(home.refusals, home.refusing)]
        notes += [f"runner-up {home.runner_up}"] if home.runner_up else []
        lines.append(f"  > instance.{home.instance}  → {home.host}  ({'; '.join(notes)})")
    for one in loss.homeless:
        lines.append(f"  ? instance.{one.instance}  nowhere: {'; '.join(refused(one.refusals, len(one.refusals)))}")
    count = len(loss.homes) + len(loss.homeless)
    if not count:
        lines.append(f"Nothing is on host.{loss.host}, and nothing is to be.")
    elif loss.homeless:
        lost = f"{len(loss.homeless)} of its {count} instances" if count > 1 else "its one instance"
        lines.append(f"If host.{loss.host} died, {lost} would have no home.")
    else:
        kept = f"all its {count} instances" if count > 1 else "its one instance"
        lines.append(f"If host.{loss.host} died, {kept} would have a home on the other hosts.")
    return "\n".join(printable(line) for line in lines) + "\n"


def survival(found: Iterable[Loss]) -> dict[str, object]:
    """For the status: the worst host to lose, None when the others could take what is on any one."""
    loss = worst(found)
    names = [one.instance for one in loss.homeless] if loss else []
    return {"worst_host": loss.host if loss else None, "homeless": names}


def survival_text(found: Iterable[Loss]) -> str:
    loss = worst(found)
    if loss is None:
        return "If any one host died, all its instances would have a home on the others."
    names = [one.instance for one in loss.homeless]
    how = f"`cloudsync plan --what-if-lost {loss.host}`"
    line = f"The worst host to lose is {loss.host}: no home for {some(names, _FEW)} ({how})"
    return printable(line)


def moves_document(cloud: Cloud, moves: Sequence[Move]) -> dict[str, Any]:
    """As schemas/rebalance.schema.json describes it."""
    rows = [{"instance": one.instance, "from": one.source, "to": one.target, "why": one.why} for one in moves]
    return {
        "format_version": FORMAT_VERSION,
        "cloud": cloud.name,
        "strategy": cloud.scheduler.strategy,
        "moves": rows,
    }


def moves_text(cloud: Cloud, moves: Sequence[Move]) -> str:
    """The moves, and how a person makes them."""
    strategy = cloud.scheduler.strategy
    if not moves:
        return f"Nothing to move: no move would {strategy} the instances better by what it costs.\n"
    rows = [(">", f"instance.{one.instance}", f"{one.source} → {one.target}", one.why) for one in moves]
    lines = [f"{len(moves)} move{'s' if len(moves) != 1 else ''} proposed, in this order; none is made."]
    single = [one for one in moves if not cloud.instances[one.instance].index]
    counted = [one for one in moves if cloud.instances[one.instance].index]
    if single:
        one = single[0]
        lines.append(
            f"To make one: `placement: {{host: {one.target}}}` on instance {one.instance}, then apply. What is"
        )
        lines.append("placed stays: the line may go again afterwards.")
    if counted:
        some = f"{counted[0].instance} is" if len(counted) == 1 else f"{listed(one.instance for one in counted)} are"
        lines.append(f"{some} of a `count:`: the spec cannot name the host of one of them alone.")
    shown = table(("", "INSTANCE", "MOVE", "WHY"), rows)
    return "\n".join([shown, "", *(printable(line) for line in lines)]) + "\n"
