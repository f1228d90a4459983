"""All hosts while units are placed one after the other: who may go where, and where best.

The hosts stand in one order by load, so that a search ends after a few of them however many there are: a scheduler that
looks at every host for every instance is what makes 10,000 instances on 1,000 hosts slow.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from itertools import chain, islice

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.snapshot import HostState
from cloudsync.scheduler.ask import Ask, Kinds
from cloudsync.scheduler.order import Order
from cloudsync.scheduler.room import Room, least
from cloudsync.scheduler.scores import Load, image_present, soft_affinity, weight
from cloudsync.scheduler.unit import Unit

SHOWN = 20
"""Refusals that a placement tells: those of the hosts that would have been preferred."""


class Batch:
    """`living` are there already, each with its host. `homes` has the host for all of a group that must be together,
    where some of it is elsewhere."""

    def __init__(
        self,
        cloud: Cloud,
        hosts: Mapping[str, HostState],
        living: Iterable[tuple[Wanted, str]] = (),
        homes: Mapping[str, str] | None = None,
    ) -> None:
        self.cloud = cloud
        self._home = homes or {}
        self.rooms = {name: Room.of(cloud.hosts[name], state) for name, state in sorted(hosts.items())}
        self._on: dict[str, dict[str, int]] = {}
        for wanted, host in living:
            self.rooms[host].take(wanted)
            self._join(wanted, host, 1)
        self.load = Load(cloud, self.rooms.values())
        self._scores = {name: self.load.score(room) for name, room in self.rooms.items()}
        self._all = Order((score, name) for name, score in self._scores.items())
        self._having = self._by_image()
        self._kinds = Kinds(self.rooms)
        self._least = least(room for room in self.rooms.values() if room.state.reachable)
        self._asks: dict[Hashable, Ask] = {}
        self._filled: list[str] = []
        self._image, self._soft = weight(cloud, "image_present"), weight(cloud, "soft_affinity")
        self._strangers: dict[str, list[str]] = {}
        for host, state in sorted(hosts.items()):
            for name in state.foreign_names:
                self._strangers.setdefault(name, []).append(host)

    def take(self, wanted: Wanted, host: str) -> None:
        """Count an instance in on its host."""
        self.rooms[host].take(wanted)
        self._least = least((self.rooms[host],), self._least)
        self._changed(wanted, host, 1)

    def release(self, wanted: Wanted, host: str) -> None:
        """Count it out again."""
        self.rooms[host].release(wanted)
        self._changed(wanted, host, -1)

    def seat(self, unit: Unit, host: str) -> None:
        for one in unit.members:
            self.take(one, host)

    def lift(self, unit: Unit, host: str) -> None:
        for one in unit.members:
            self.release(one, host)

    def best(self, unit: Unit, barred: Collection[str] = ()) -> tuple[str | None, str | None]:
        """The best host now and the next best, None where there is none. `barred` hosts are left out."""
        ask, homes = self._ask(unit), self._homes(unit)
        top: list[tuple[float, str]] = []
        seen = {*barred, *self._barred(unit)}
        plain = not (homes or unit.pin)
        never, kind, now = ask.fixed, ask.kinds.of, ask.now
        for bonus, names in self._searched(unit, homes, ask.image):
            for against, name in names:
                if len(top) == 2 and bonus - against <= top[1][0]:
                    break
                if name in seen or kind[name] in never or name in now:
                    continue
                if plain or not self._apart(unit, homes, ask, name):
                    seen.add(name)
                    top.append((self._total(unit, name, ask.image), name))
                    top.sort(key=lambda one: -one[0])
                    del top[2:]
        found = [name for _, name in top] + [None, None]
        return found[0], found[1]

    def better(self, unit: Unit, host: str, other: str) -> bool:
        """Whether it has at least as many there of those that it would have near, or far, as on the other."""
        if unit.group is None:
            return True
        return soft_affinity(unit.group, self.rooms[host]) >= soft_affinity(unit.group, self.rooms[other])

    def why(self, unit: Unit, host: str) -> str | None:
        """Why the unit may not go there now, or None."""
        return self._refuses(unit, self._ask(unit), self._homes(unit), host)

    def refusals(self, unit: Unit) -> dict[str, str]:
        """Of every host that refuses, in name order."""
        ask, homes = self._ask(unit), self._homes(unit)
        return {name: why for name in self.rooms if (why := self._refuses(unit, ask, homes, name))}

    def told(self, unit: Unit) -> tuple[dict[str, str], int]:
        """Of the best hosts that refuse, in name order, and how many refuse in all."""
        ask, homes = self._ask(unit), self._homes(unit)
        if homes or unit.pin or self._barred(unit):
            everyone = self.refusals(unit)
            return dict(islice(everyone.items(), SHOWN)), len(everyone)
        count = ask.never + len(ask.now)
        if count == len(ask.now) <= SHOWN:
            return dict(sorted(ask.now.items())), count
        refusing = ((name, why) for _, name in self._all if (why := ask.refuses(name)))
        return dict(sorted(islice(refusing, SHOWN))), count

    def able(self, unit: Unit) -> Iterator[str]:
        """Hosts, the best first, that refuse nothing but what moving others about could change."""
        ask, homes = self._ask(unit), self._homes(unit)
        barred = self._barred(unit)
        for _, name in tuple(self._all):
            if not (self._kinds.of[name] in ask.fixed or name in barred or self._apart(unit, homes, ask, name)):
                yield name

    def members(self, group: str) -> int:
        """How many of a placement group have a host now."""
        return sum(self._on.get(group, {}).values())

    def _apart(self, unit: Unit, homes: frozenset[str], ask: Ask, name: str) -> str | None:
        return ask.elsewhere(self.cloud, self.rooms[name], homes) if homes or unit.pin else None

    def _refuses(self, unit: Unit, ask: Ask, homes: frozenset[str], name: str) -> str | None:
        if homes or unit.pin:
            why = ask.elsewhere(self.cloud, self.rooms[name], homes)
            if why:
                return why
        for member in unit.members:
            if member.name in self._strangers and name in self._strangers[member.name]:
                return f"a machine called {member.name} is there and is not ours"
        return ask.refuses(name)

    def _barred(self, unit: Unit) -> set[str]:
        found = [self._strangers[one.name] for one in unit.members if one.name in self._strangers]
        return set(chain.from_iterable(found))

    def _ask(self, unit: Unit) -> Ask:
        """Told what was filled since it was last asked."""
        ask = self._asks.get(unit.asks)
        if ask is None:
            ask = self._asks[unit.asks] = Ask.of(self.cloud, unit, self._kinds, self.rooms)
            ask.image = self._image * self.load.of(unit.whole.takes)
            ask.begin(self.cloud, self.rooms, self._least, self._on.get(unit.group.name, {}) if unit.group else ())
        elif ask.told < len(self._filled):
            ask.look_again(self.cloud, self.rooms, dict.fromkeys(self._filled[ask.told :]))
        ask.told = len(self._filled)
        return ask

    def _homes(self, unit: Unit) -> frozenset[str]:
        """Only strict affinity looks at other hosts."""
        if unit.group is None or unit.group.policy != "affinity":
            return frozenset()
        name = unit.group.name
        return frozenset((self._home[name],) if name in self._home else self._on.get(name, ()))

    def _searched(
        self, unit: Unit, homes: frozenset[str], image: float
    ) -> Iterator[tuple[float, Iterator[tuple[float, str]]]]:
        """Hosts in an order by load, and what more than that a host in it can score at most."""
        if unit.pin or homes:
            few = sorted(homes | ({unit.pin} if unit.pin else set()))
            yield float("inf"), iter([(0.0, name) for name in few if name in self.rooms])
            return
        if unit.group and unit.group.policy == "soft-affinity":
            yield float("inf"), iter([(0.0, name) for name in sorted(self._on.get(unit.group.name, ()))])
        having = self._having.get(self.cloud.images[unit.whole.image].sha256) if image else None
        if having:
            yield image, iter(having)
        yield 0.0, iter(self._all)

    def _total(self, unit: Unit, name: str, image: float) -> float:
        room, total = self.rooms[name], self._scores[name]
        if image:
            total += image * image_present(self.cloud.images[unit.whole.image].sha256, room)
        if unit.group and not unit.strict:
            total += self._soft * soft_affinity(unit.group, room)
        return total

    def _by_image(self) -> dict[str, Order]:
        """For each image that some hosts have and others lack, those that have it."""
        having: dict[str, list[str]] = {}
        for sha256 in {image.sha256 for image in self.cloud.images.values()}:
            having[sha256] = [name for name, room in self.rooms.items() if sha256 in room.state.images]
        some = {sha256: names for sha256, names in having.items() if names and len(names) < len(self.rooms)}
        return {sha256: Order((self._scores[name], name) for name in names) for sha256, names in some.items()}

    def _changed(self, wanted: Wanted, host: str, by: int) -> None:
        room = self.rooms[host]
        old, new = self._scores[host], self.load.score(room)
        self._all.move(host, old, new)
        for sha256, order in self._having.items():
            if sha256 in room.state.images:
                order.move(host, old, new)
        self._scores[host] = new
        self._filled.append(host)
        self._join(wanted, host, by)

    def _join(self, wanted: Wanted, host: str, by: int) -> None:
        if wanted.where.group:
            on = self._on.setdefault(wanted.where.group, {})
            on[host] = on.get(host, 0) + by
            if not on[host]:
                del on[host]
