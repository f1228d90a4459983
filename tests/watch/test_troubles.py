"""A watch of simulated hosts when others are at work, hosts go, guests stop, and when it is to end itself."""

from dataclasses import replace
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any

from cloudsync.hosts.fleet import Fleet
from cloudsync.model.resources import Power
from cloudsync.watch.happening import Ended, Ending, Planned, RoundBegan, Stepped
from cloudsync.watch.trigger import Reason, Tell, Trigger
from tests.effort import PATIENCE
from tests.watch.scene import OPEN, document, doors, host, settled
from tests.watch.watched import SPEC, save, watched


def test_the_lock_of_another_is_waited_for(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        with host(spec, "h2").lock("somebody@else"):
            save(spec, OPEN)
            found = it.next()
            assert (found.ending, "somebody@else" in found.message) == (Ending.LOCKED, True)
            assert found.again is not None
            assert doors(document(spec)) == 1
        while (found := it.next()).ending is Ending.LOCKED:
            continue
        assert found.ending is Ending.APPLIED
        assert doors(document(spec)) == 2


def test_somebody_who_applied_meanwhile_is_not_overwritten_blindly(spec: Path) -> None:
    """What is remembered of the hosts is not so any more: they are looked at before anything is done."""
    with watched(spec) as it:
        settled(it)
        one = host(spec, "h1")
        state = one.state
        assert state.document
        later = state.document.generation + 1
        one.state = replace(state, document=replace(state.document, generation=later))
        save(spec, OPEN)
        found = it.next()
        assert found.ending is Ending.APPLIED
        assert document(spec).generation > later
        assert doors(document(spec)) == 2


def test_what_a_host_did_not_take_is_not_said_to_be_made(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        for name in ("h1", "h2"):
            file = spec.parent / ".cloudsync" / "sim" / f"{name}.json"
            file.unlink()
            file.mkdir()
        save(spec, OPEN)
        found = it.next()
        assert (found.ending, found.made) == (Ending.FAILED, ())


def test_a_host_that_goes_is_left_alone_and_taken_up_when_it_comes_back(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        file = spec.parent / ".cloudsync" / "sim" / "h2.json"
        kept = file.read_text()
        file.write_text("{")
        it.watch.hear(Trigger(Reason.INTERVAL))
        found = it.next()
        assert found.silent == ("h2",)
        save(spec, OPEN)
        found = it.next()
        while found.ending is not Ending.APPLIED:
            found = it.next()
        assert doors(document(spec)) == 2
        file.write_text(kept)
        while Reason.RETRY not in {one.reason for one in found.triggers}:
            found = it.next()
        assert (found.ending, found.silent) == (Ending.APPLIED, ())
        state = host(spec, "h2").state.document
        assert state and doors(state) == 2


def test_no_host_at_all_is_tried_again_and_again(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        files = [spec.parent / ".cloudsync" / "sim" / f"{name}.json" for name in ("h1", "h2")]
        kept = [file.read_text() for file in files]
        for file in files:
            file.write_text("{")
        save(spec, OPEN)
        found = it.next()
        assert (found.ending, found.again is not None) == (Ending.FAILED, True)
        for file, text in zip(files, kept, strict=True):
            file.write_text(text)
        while (found := it.next()).ending is not Ending.APPLIED:
            continue
        assert doors(document(spec)) == 2


def test_drift_is_repaired_on_the_interval(spec: Path) -> None:
    with watched(spec, every=0.2) as it:
        it.next()
        for name in ("h1", "h2"):
            one = host(spec, name)
            off = {uuid: _off(machine) for uuid, machine in one.state.machines.items()}
            one.state = _with(one.state, off)
        found = it.next()
        while found.ending is not Ending.APPLIED:
            found = it.next()
        assert (found.drift, found.repaired) == (1, 1)
        there = [*host(spec, "h1").state.machines.values(), *host(spec, "h2").state.machines.values()]
        assert [machine.power for machine in there] == [Power.RUNNING]


def _off(machine: Any) -> Any:
    return replace(machine, power=Power.CRASHED)


def _with(state: Any, machines: Any) -> Any:
    return replace(state, machines=machines)


def test_a_save_in_the_middle_of_an_apply_is_handled_after_it(spec: Path) -> None:
    """Never two at once: the round that runs is held up by what it tells until the save is there."""
    begun, go_on, heard = Event(), Event(), Queue[Any]()

    def slow(happening: object) -> None:
        heard.put(happening)
        if isinstance(happening, Planned) and not begun.is_set():
            begun.set()
            assert go_on.wait(PATIENCE)

    with watched(spec, more=(slow,)) as it:
        assert begun.wait(PATIENCE)
        save(spec, OPEN)
        go_on.set()
        assert it.next().ending is Ending.APPLIED
        assert it.after(Reason.SAVE).ending is Ending.APPLIED
        assert doors(document(spec)) == 2
    numbers = []
    while not heard.empty():
        one = heard.get()
        if isinstance(one, RoundBegan | Planned | Stepped):
            numbers.append(one.number)
    assert numbers == sorted(numbers)


def test_it_ends_after_the_running_steps_and_says_what_was_left(spec: Path) -> None:
    held, go_on = Event(), Event()

    def slow(happening: object) -> None:
        """The first step waits until it was asked to end."""
        if isinstance(happening, Stepped) and not held.is_set():
            held.set()
            assert go_on.wait(PATIENCE)

    with watched(spec, more=(slow,)) as it:
        assert held.wait(PATIENCE)
        it.watch.stop()
        it.watch.hear(Trigger(Reason.SAVE))
        while not it.watch.stopping:
            continue
        go_on.set()
        found = it.next()
        assert found.ending is Ending.INTERRUPTED
    assert it.interrupted
    told = [it.heard.get() for _ in range(it.heard.qsize())]
    assert told == [Ended(True)]
    with watched(spec) as it:
        assert it.next().ending is Ending.APPLIED
    assert it.interrupted is False


class Ear:
    """Says when it is told to listen and to stop, and whether the hosts could be asked then."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, frozenset[str]]] = []
        self._fleet: Fleet | None = None

    def listen(self, fleet: Fleet, tell: Tell) -> None:
        self._fleet = fleet
        self.heard.append(("listen", fleet.observe().usable))

    def end(self) -> None:
        if self._fleet:
            self.heard.append(("end", self._fleet.observe().usable))
            self._fleet = None


def test_ears_listen_to_the_hosts_that_the_spec_names_and_end_before_these_are_closed(spec: Path) -> None:
    ear = Ear()
    with watched(spec, ears=(ear,)) as it:
        settled(it)
        save(spec, SPEC.replace("  h2: {", "  h3: {"))
        while it.next().ending is not Ending.QUIET:
            continue
    both, other = frozenset({"h1", "h2"}), frozenset({"h1", "h3"})
    assert ear.heard == [("listen", both), ("end", both), ("listen", other), ("end", other)]
