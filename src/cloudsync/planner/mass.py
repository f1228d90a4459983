"""Whether a plan does away with most of what belongs together: that is asked about by itself. Pure; make.py asks here.

Whoever gives a host up, or destroys the cloud, has named what goes.
"""

from collections.abc import Iterable, Iterator

from cloudsync.model.address import numbered
from cloudsync.model.cloud import Cloud
from cloudsync.model.plan import Mass
from cloudsync.planner.seen import Sight


def mass(cloud: Cloud, sight: Sight) -> tuple[Mass, ...]:
    """Of bases, placement groups and the whole cloud, where they have more than one instance. What all of the cloud
    that goes is one of these is not told twice."""
    return () if cloud.going else most(cloud, _known(sight))


def most(cloud: Cloud, known: Iterable[tuple[str, bool]]) -> tuple[Mass, ...]:
    """The same, of what is there and whether it goes."""
    known = tuple(known)
    if not any(goes for _, goes in known):
        return ()
    there: dict[str, dict[str, bool]] = {}
    near = {one.base: one.where.group for one in cloud.instances.values() if one.where.group}
    for name, goes in known:
        for group in _groups(cloud, near, name):
            there.setdefault(group, {})[name] = goes
    found = [
        Mass(group=group, going=tuple(sorted(name for name, goes in members.items() if goes)), of=len(members))
        for group, members in sorted(there.items())
        if len(members) > 1
    ]
    more = [one for one in found if 2 * len(one.going) > one.of]
    told = {one.going for one in more if one.group != "cloud"}
    return tuple(one for one in more if one.group != "cloud" or one.going not in told)


def _known(sight: Sight) -> Iterator[tuple[str, bool]]:
    """What is there, by the names that the plan has for it, and whether it goes."""
    for pair in sight.pairs:
        if pair.home and pair.is_there:
            yield pair.name, pair.doomed
    for home, wanted in sight.away:
        yield wanted or home.name, False


def _groups(cloud: Cloud, near: dict[str, str], name: str) -> Iterator[str]:
    """Of what nobody wants any more only the name tells, and what still is of its base."""
    wanted = cloud.instances.get(name)
    base = wanted.base if wanted else numbered(name)[0]
    yield f"instance.{base}"
    group = wanted.where.group if wanted else near.get(base)
    if group:
        yield f"placement_group.{group}"
    yield "cloud"
