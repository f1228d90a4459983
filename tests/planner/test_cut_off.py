"""What an apply left that was killed is told as its own, not as somebody's who changed it from outside."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cloudsync.hosts.journal import SimJournal
from cloudsync.model.document import Applied
from cloudsync.model.journal import Began, Did, End, Ended
from cloudsync.model.plan import Action, Disruption, Plan
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import Machine, Snapshot
from cloudsync.model.step import CreateInstance, PutImage
from cloudsync.render.plan_text import text
from cloudsync.render.status import document
from tests.laws.fleet import Fleet, decide
from tests.laws.settled import assert_settled
from tests.planner.build import GIB, MIB, SMALL, changed, image
from tests.planner.test_changes import settled
from tests.planner.test_drift import ONE, meddle

REASON = "not finished by an earlier apply"
SMALLER = replace(SMALL, name="smaller", disk=2 * GIB)


def seen(fleet: Fleet, *addresses: str) -> Snapshot:
    """With the last apply cut off, which was to change these."""
    host = fleet.observe(ONE).hosts["kvm-1"]
    return Snapshot(hosts={"kvm-1": replace(host, cut_off=frozenset(addresses))})


def planned(fleet: Fleet, *addresses: str) -> Plan:
    return decide(ONE, seen(fleet, *addresses)).plan


@pytest.mark.parametrize(
    ("change", "field", "disruption"),
    [
        (lambda one: replace(one, power=Power.STOPPED), ("state", "stopped", "running"), Disruption.NONE),
        (lambda one: replace(one, memory=256 * MIB), ("memory", "256 MiB", "512 MiB"), Disruption.LIVE),
        (lambda one: replace(one, vcpus=3), ("vcpus", "3", "1"), Disruption.RESTART),
        (lambda one: replace(one, name="bew"), ("name", "bew", "web"), Disruption.RESTART),
    ],
)
def test_what_it_was_to_change_is_not_finished(
    change: Callable[[Machine], Machine], field: tuple[str, str, str], disruption: Disruption
) -> None:
    fleet = settled(ONE)
    meddle(fleet, change)
    assert planned(fleet).drift != ()
    assert planned(fleet, "instance.other").drift != ()
    made = planned(fleet, "instance.web")
    (told,) = made.changes
    assert (made.drift, told.action, told.disruption) == ((), Action.UPDATE, disruption)
    assert [(one.path, one.before, one.after) for one in told.fields] == [field]
    assert told.reasons[0] == REASON
    assert REASON in text(made, False)
    assert [step.kind for step in made.steps] == [step.kind for step in planned(fleet).steps]
    (row,) = document(ONE, seen(fleet, "instance.web"))["instances"]
    assert len(row["problems"]) == 1
    assert row["problems"][0].endswith(REASON)


@pytest.mark.parametrize(
    "fields", [{}, {"image": "other"}, {"image": "other", "flavor": SMALLER}, {"flavor": SMALLER}, {"protect": True}]
)
def test_what_was_never_made_is_made_whatever_the_spec_says_by_now(fields: dict[str, Any]) -> None:
    """Its image did not come, so that all that there is of it is its record."""
    fleet, there = Fleet(), replace(ONE, images={**ONE.images, "other": image("other")})
    first = decide(there, fleet.observe(there)).plan
    fleet.hosts["kvm-1"].breaks = next(step.id for step in first.steps if isinstance(step, PutImage))
    assert fleet.apply(first, there).failed == ("kvm-1/image.debian/put",)
    assert fleet.hosts["kvm-1"].state.disks == {}
    wanted = changed(there, "web", **fields)
    again = decide(wanted, fleet.observe(wanted)).plan
    (told,) = (one for one in again.changes if one.address == "instance.web")
    assert (told.action, told.disruption, told.destroys_data) == (Action.CREATE, Disruption.NONE, False)
    assert told.reasons == (REASON,)
    assert not fleet.apply(again, wanted).failed, fleet.failures
    assert_settled(fleet, wanted)


def test_a_disk_that_is_half_made_stands_on_its_image() -> None:
    fleet, there = Fleet(), replace(ONE, images={**ONE.images, "other": image("other")})
    first = decide(there, fleet.observe(there)).plan
    fleet.hosts["kvm-1"].breaks = next(step.id for step in first.steps if isinstance(step, CreateInstance))
    fleet.apply(first, there)
    wanted = changed(there, "web", image="other")
    (told,) = (one for one in decide(wanted, fleet.observe(wanted)).plan.changes if one.address == "instance.web")
    assert (told.action, told.destroys_data) == (Action.REPLACE, True)


def test_what_it_did_finish_is_told_as_nothing() -> None:
    fleet = settled(ONE)
    assert planned(fleet, "instance.web").empty
    assert document(ONE, seen(fleet, "instance.web"))["instances"][0]["problems"] == []


def test_what_no_apply_does_is_drift_all_the_same() -> None:
    fleet = settled(ONE)
    host = fleet.hosts["kvm-1"]
    host.state = replace(host.state, disks={})
    assert [one.message for one in planned(fleet, "instance.web").drift] == ["its disk is gone"]


def test_a_journal_says_which_apply_never_ended() -> None:
    journal = SimJournal(None, "demo")
    for key in ("a", "b"):
        did = (Did(action="update", address=f"instance.{key}"),)
        journal.note(Began(id=key, cloud="demo", applied=Applied(at=f"2026-01-02T03:04:0{key == 'b':d}Z"), changes=did))
        assert journal.cut_off() == {f"instance.{key}"}
    journal.note(Ended(id="b", at="2026-01-02T03:05:00Z", end=End.FAILED, done=1))
    assert journal.cut_off() == frozenset(), "only the last one counts"
