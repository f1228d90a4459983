"""A cloud that goes from one state to the next while things strike, and what must hold at each arrival."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.kill.held import Found, as_wanted, look, marked, nothing_twice, root_of, write_mark
from tests.kill.place import Place
from tests.kill.program import KILLED, Done, Program, itself
from tests.kill.spec import Cloud
from tests.kill.story import Leg

Blow = Callable[[], None]
NOTHING = Found({}, frozenset(), frozenset(), frozenset())


@dataclass
class Journey:
    """`marked` are the files of the disks on which guests have written something; `found` is what was there at the last
    arrival."""

    place: Place
    program: Program
    marked: set[str] = field(default_factory=set)
    found: Found = NOTHING

    def begin(self, cloud: Cloud) -> None:
        self.marked.clear()
        self.program.apply(self.write(cloud))
        self.arrived(cloud, frozenset())

    def leg(self, leg: Leg, at: int | str = 0, strike: Blow = itself) -> Done:
        """Towards its goal, struck at moment `at`; then plan, apply, plan."""
        spec = self.write(leg.goal)
        done = self.program.run(
            spec, "apply", "-y", "--allow-destroy", "--allow-mass-delete", "--parallelism", "1", at=at, strike=strike
        )
        assert "Traceback" not in done.said and "a bug in" not in done.said, done.said
        assert (done.code == KILLED) == (done.reached(at) and strike is itself), done.said
        self.place.mend()
        left = look(self.place)
        nothing_twice(left)
        plan = self.program.plan(spec)
        self.program.apply(spec)
        found = self.arrived(leg.goal, self._lost(leg))
        if left.machines.keys() != found.machines.keys() or left.disks != found.disks:
            assert plan["changes"] or plan["drift"], f"not reported: {left} became {found}"
        return done

    def _lost(self, leg: Leg) -> frozenset[str]:
        roots = {root_of(uuid) for uuid, one in self.found.by_name.values() if one.name in leg.lost}
        return frozenset(roots.union(*(one.data for _, one in self.found.by_name.values() if one.name in leg.given_up)))

    def arrived(self, goal: Cloud, lost: frozenset[str]) -> Found:
        """Quiet, and all there but for the files of `lost` disks."""
        plan = self.program.plan(self.write(goal))
        assert (plan["changes"], plan["drift"], plan["steps"]) == ([], [], []), plan
        found = look(self.place)
        nothing_twice(found)
        as_wanted(self.place, goal, found)
        self.marked -= lost
        there = {file: host for host, file in found.disks}
        assert self.marked <= there.keys(), f"disks are lost: {self.marked - there.keys()}"
        for one in found.machines.values():
            for device, file in one.drives.items():
                if one.runs and file not in self.marked:
                    write_mark(self.place, one.host, one.name, device)
                    self.marked.add(file)
        for host in self.place.hosts:
            here = {file for file in self.marked if there[file] == host}
            lacking = here - marked(self.place, host, here)
            assert not lacking, f"what was written to {lacking} is lost"
        self.found = found
        return found

    def write(self, cloud: Cloud) -> Path:
        return cloud.write(self.place.folder / "kill.yaml", self.place.hosts)


@dataclass(frozen=True, slots=True)
class Point:
    """Leg number `leg` is struck at moment `at`, which is `what`."""

    leg: int
    at: int
    what: str


def moments(journey: Journey, story: Sequence[Leg]) -> list[list[str]]:
    """Of each leg, by going once round."""
    journey.begin(story[-1].goal)
    return [journey.leg(leg).moments for leg in story]


def points(found: Sequence[Sequence[str]]) -> list[list[Point]]:
    """Of each leg: while the other side has something in hand, and after it. Before the next is no other point."""
    return [
        [Point(leg, at, what) for at, what in enumerate(listed, 1) if not what.startswith(("before ", "done "))]
        for leg, listed in enumerate(found)
    ]


def rounds(chosen: Sequence[Sequence[Point]]) -> Iterator[tuple[int, Point | None]]:
    """Leg after leg, round after round, until each point has had its turn."""
    for turn in range(max(map(len, chosen), default=0)):
        for leg, listed in enumerate(chosen):
            yield leg, listed[turn] if turn < len(listed) else None
