"""The long run, on a private machine: `python -m tests.kill [PART]…`, by default all: the controller killed on `one`
host and on `three`, the `daemons` of one host, `power` and daemons of three, and the `truth` of plans.

Ends with 1 when one of them did not hold; each failure is told, and the run goes on."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic

from tests.kill.journey import Blow, Journey, Point, moments, points, rounds
from tests.kill.place import Place, one_host, three_hosts
from tests.kill.program import Program, itself
from tests.kill.spec import Cloud
from tests.kill.story import ONE_HOST, THREE_HOSTS, Leg
from tests.kill.truth import confirm
from tests.kill.worlds import Worlds

Blows = Callable[[Place, Point], Blow]


class Run:
    def __init__(self, place: Place, story: Sequence[Leg]) -> None:
        self.place, self.story = place, story
        self.journey = Journey(place, Program(place.folder))
        self.struck = self.missed = 0
        self.failed: list[str] = []

    def begin(self) -> list[list[Point]]:
        return points(moments(self.journey, self.story))

    def strike(self, name: str, chosen: Sequence[Sequence[Point]], blows: Blows) -> None:
        """At each of `chosen`."""
        for leg, point in rounds(chosen):
            began = monotonic()
            if point is None:
                self._go(f"{name}: leg {leg}", leg, 0, itself)
                continue
            title = f"{name}: leg {leg}, moment {point.at}, {point.what}"
            came = self._go(title, leg, point.at, blows(self.place, point))
            self.struck, self.missed = self.struck + came, self.missed + (not came)
            told = "" if came else ", which never came"
            print(f"{self.struck} {title}{told} ({monotonic() - began:.1f} s)", flush=True)
        if self.missed > self.struck / 5:
            self.failed.append(f"{name}: {self.missed} moments never came, and {self.struck} did")

    def pairs(self, count: int, seed: int) -> None:
        """As many changes from one random world to the next."""
        worlds, now = Worlds(seed, tuple(self.place.hosts)), Cloud(boxes={})
        self.journey.begin(now)
        while self.struck < count:
            goal = worlds.after(now)
            began, title = monotonic(), f"pair {self.struck + 1} of seed {seed}"
            try:
                if not confirm(self.journey, goal):
                    continue
            except Exception:
                self._tell(title)
                print(f"from {now}\nto {goal}", flush=True)
                self._afresh(goal)
            now = goal
            self.struck += 1
            print(f"{title} ({monotonic() - began:.1f} s)", flush=True)

    def _go(self, title: str, leg: int, at: int, strike: Blow) -> bool:
        """Whether that moment came."""
        try:
            return self.journey.leg(self.story[leg], at, strike).reached(at)
        except Exception:
            self._tell(title)
            self._afresh(self.story[leg].goal)
            return True

    def _tell(self, title: str) -> None:
        self.failed.append(title)
        print(f"FAILED {title}\n{traceback.format_exc()}\n{self.place.logs()}", flush=True)

    def _afresh(self, goal: Cloud) -> None:
        """As if all had gone well."""
        self.place.mend()
        self.journey = Journey(self.place, Program(self.place.folder))
        self.journey.begin(Cloud(boxes={}))
        self.journey.begin(goal)


def every(chosen: Sequence[list[Point]], step: int, start: int = 0) -> list[list[Point]]:
    return [listed[start::step] for listed in chosen]


@contextmanager
def on_one() -> Iterator[Run]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, one_host(Path(folder)) as place:
        yield Run(place, ONE_HOST)


@contextmanager
def on_three(story: Sequence[Leg] = THREE_HOSTS) -> Iterator[Run]:
    with three_hosts() as place:
        yield Run(place, story)


def one() -> Run:
    with on_one() as run:
        run.strike("controller", run.begin(), lambda _place, _point: itself)
        return run


def daemons() -> Run:
    with on_one() as run:
        found = run.begin()
        for turn, name in enumerate(("agent", "libvirtd", "dnsmasq", "metadata")):
            run.strike(name, every(found, 12, turn), partial(_blow, name))
        return run


def three() -> Run:
    with on_three() as run:
        run.strike("controller", every(run.begin(), 3), lambda _place, _point: itself)
        return run


def power() -> Run:
    with on_three() as run:
        found = run.begin()
        for turn, name in enumerate(("power", "agent", "libvirtd")):
            run.strike(name, every(found, 12, turn), partial(_blow, name))
        return run


def _blow(name: str, place: Place, point: Point) -> Blow:
    """On one host after the other."""
    hosts = list(place.hosts)
    return place.blow(name, hosts[point.at % len(hosts)])


def truth() -> Run:
    with on_three(()) as run:
        run.pairs(int(os.environ.get("PAIRS", "300")), int(os.environ.get("SEED", "1")))
        return run


def main(words: list[str]) -> int:
    runs = {run.__name__: run for run in (one, daemons, three, power, truth)}
    done = [runs[word]() for word in words or runs]
    failed = [title for run in done for title in run.failed]
    print(f"{sum(run.struck for run in done)} done, {len(failed)} failed")
    print("\n".join(failed))
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
