"""A watch of simulated hosts: what it applies by itself, what waits for a person, and what it does when things fail."""

from dataclasses import replace
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any

import pytest

from cloudsync.hosts.sim import SimHost
from cloudsync.model.plan import Action
from cloudsync.model.resources import Power
from cloudsync.watch.consent import Consent
from cloudsync.watch.happening import Ended, Ending, Planned, RoundBegan, Stepped
from cloudsync.watch.trigger import Reason, Trigger
from tests.watch.watched import PATIENCE, SPEC, Watched, save, watched

OPEN = SPEC.replace("ports: 80", "ports: [80, 443]")
IMAGE = SPEC.replace("blank.qcow2', sha256: " + "ab" * 32, "blank.qcow2', sha256: " + "cd" * 32)


def host(spec: Path, name: str) -> SimHost:
    return SimHost(name, "sim:?vcpus=16&memory=16GiB&disk=100GiB", spec.parent, "demo")


def document(spec: Path) -> Any:
    found = host(spec, "h1").state.document
    assert found
    return found


def doors(found: Any) -> int:
    """Ports that are open."""
    ranges = [rule.ports for rule in found.groups["web"].rules if rule.ports]
    return sum(last - first + 1 for first, last in ranges)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "cloud.yaml").write_text(SPEC)
    return tmp_path / "cloud.yaml"


def settled(it: Watched) -> None:
    """The first round, and the look after it."""
    assert it.next().ending is Ending.APPLIED
    look = it.next()
    assert (look.ending, look.triggers) == (Ending.QUIET, (Trigger(Reason.CONFIRM),))


def test_it_begins_with_what_the_spec_says_and_a_save_is_applied(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        save(spec, OPEN)
        found = it.next()
        assert (found.ending, found.triggers) == (Ending.APPLIED, (Trigger(Reason.SAVE, "cloud.yaml"),))
        assert [(one.address, one.action) for one in found.made] == [("group.web", Action.UPDATE)]
        assert doors(document(spec)) == 2


def test_several_saves_are_applied_one_after_the_other_to_what_is_there(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        for ports in ("[81, 82]", "[83]", "[84, 85, 86]"):
            save(spec, SPEC.replace("ports: 80", f"ports: {ports}"))
            assert it.next().ending is Ending.APPLIED
            assert doors(document(spec)) == ports.count("8")
        look = it.next()
        assert (look.ending, look.drift) == (Ending.QUIET, 0)


def test_a_broken_spec_shows_its_problems_and_changes_nothing(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        before = document(spec)
        save(spec, SPEC.replace("flavor: small", "flavor: smal"))
        found = it.next()
        assert found.ending is Ending.BROKEN
        (problem,) = found.problems
        assert (str(problem.place), "smal" in problem.message) == (f"{spec}:16:31", True)
        assert document(spec) == before
        save(spec, OPEN)
        assert it.next().ending is Ending.APPLIED


def test_what_restarts_waits_until_somebody_agrees(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        uuid = document(spec).instances["web"].uuid
        runs = host(spec, "h1").state.runs
        save(spec, OPEN.replace("flavor: small", "flavor: other"))
        found = it.next()
        assert [one.address for one in found.made] == ["group.web"]
        (held,) = found.held
        assert (held.why, held.change.address, held.change.disruption.label) == ("waiting", "instance.web", "restart")
        assert host(spec, "h1").state.runs == runs
        it.watch.hear(Consent.KEEPING_DATA.trigger)
        while (found := it.next()).triggers != (Consent.KEEPING_DATA.trigger,):
            continue
        assert ([one.address for one in found.made], found.held) == (["instance.web"], ())
        assert document(spec).instances["web"].uuid == uuid
        assert host(spec, "h1").state.machines[uuid].memory == 256 << 20
        assert host(spec, "h1").state.runs != runs


def test_losing_data_is_agreed_to_apart(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        uuid = document(spec).instances["web"].uuid
        save(
            spec,
            SPEC.replace("instances:", "instances:\n  new: {image: blank, flavor: small}").partition("  web: {image")[
                0
            ],
        )
        found = it.next()
        assert [one.change.action for one in found.held] == [Action.DELETE]
        it.watch.hear(Consent.KEEPING_DATA.trigger)
        while Consent.KEEPING_DATA.trigger not in (found := it.next()).triggers:
            continue
        assert [one.change.action for one in found.held] == [Action.DELETE]
        assert uuid in {**host(spec, "h1").state.disks, **host(spec, "h2").state.disks}
        it.watch.hear(Consent.ALL.trigger)
        while Consent.ALL.trigger not in (found := it.next()).triggers:
            continue
        assert (found.ending, found.held) == (Ending.APPLIED, ())
        assert uuid not in {**host(spec, "h1").state.disks, **host(spec, "h2").state.disks}


def test_what_is_agreed_to_is_what_was_shown(spec: Path) -> None:
    """Between the look and the key somebody saves something worse."""
    with watched(spec) as it:
        settled(it)
        save(spec, SPEC.replace("flavor: small", "flavor: other"))
        assert len(it.next().held) == 1
        save(spec, SPEC.replace("flavor: small", "flavor: other, state: stopped"))
        it.watch.hear(Consent.KEEPING_DATA.trigger)
        found = it.next()
        while Reason.APPROVAL not in {one.reason for one in found.triggers}:
            found = it.next()
        if Reason.SAVE in {one.reason for one in found.triggers}:
            assert (found.ending, "not what it was" in found.message) == (Ending.FAILED, True)
        uuid = document(spec).instances["web"].uuid
        there = {**host(spec, "h1").state.machines, **host(spec, "h2").state.machines}
        assert there[uuid].power is Power.RUNNING


def test_a_broken_expectation_is_refused(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        before = document(spec)
        save(spec, OPEN + "expect:\n  - {deny: {from: internet, to: instance.web, protocol: tcp, port: 443}}\n")
        found = it.next()
        assert found.ending is Ending.BROKEN
        assert document(spec) == before


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
        assert it.next().ending is Ending.APPLIED
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
