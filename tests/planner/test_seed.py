"""Which user-data an instance was first booted with: told while it has another, or a reason to make it anew."""

from dataclasses import replace

import pytest

from cloudsync.model.plan import Action, Disruption
from cloudsync.model.problem import SpecError
from cloudsync.model.resources import Instance, Power, Seed
from cloudsync.render.status import document
from tests.laws.fleet import Fleet, decide
from tests.laws.settled import assert_settled
from tests.planner.build import SMALL, changed, cloud, image, instance
from tests.planner.test_changes import settled

OLD, NEW, NEWER = b"#cloud-config\n", b"#!/bin/sh\n", b"#!/bin/bash\n"
ONE = cloud(instance("web", user_data=OLD), hosts=("kvm-1",), commit="0123456789abcdef")


def record(fleet: Fleet) -> Instance:
    found = fleet.hosts["kvm-1"].state.document
    assert found
    return found.instances["web"]


def test_every_later_plan_and_status_say_that_it_runs_on_older_user_data() -> None:
    fleet = settled(ONE)
    later = changed(ONE, "web", user_data=NEW)
    made = decide(later, fleet.observe(later)).plan
    assert [(one.action, one.disruption) for one in made.changes] == [(Action.UPDATE, Disruption.NONE)]
    fleet.apply(made, later)
    later = replace(later, commit="fedcba")
    for whole in (later, changed(later, "web", flavor=replace(SMALL, vcpus=2)), changed(later, "web", user_data=NEWER)):
        fleet.apply(decide(whole, fleet.observe(whole)).plan, whole)
        made = decide(whole, fleet.observe(whole)).plan
        assert made.empty
        (note,) = made.notes
        assert note.startswith("instance.web runs on older user-data (14 bytes sha256:")
        assert "of commit 0123456789ab, applied at 2026-01-01T00:00:00Z" in note
        (row,) = document(whole, fleet.observe(whole))["instances"]
        assert row["problems"][0].startswith("runs on older user-data (14 bytes")
    fleet.apply(decide(ONE, fleet.observe(ONE)).plan, ONE)
    assert (record(fleet).seed, decide(ONE, fleet.observe(ONE)).plan.notes) == (None, ())


def test_one_that_never_ran_boots_with_what_it_has_by_then() -> None:
    off = changed(ONE, "web", state=Power.STOPPED)
    fleet = settled(off)
    later = changed(off, "web", user_data=NEW)
    fleet.apply(decide(later, fleet.observe(later)).plan, later)
    assert record(fleet).seed is None
    on = changed(later, "web", state=Power.RUNNING, user_data=NEW)
    fleet.apply(decide(on, fleet.observe(on)).plan, on)
    gone = changed(on, "web", user_data=None, state=Power.STOPPED)
    fleet.apply(decide(gone, fleet.observe(gone)).plan, gone)
    seed = record(fleet).seed
    assert isinstance(seed, Seed)
    assert seed.user_data
    assert seed.user_data.size == len(NEW)


def test_it_is_made_anew_where_that_is_asked_for_with_every_guard() -> None:
    asked = changed(ONE, "web", renews=True)
    fleet = settled(asked)
    assert decide(asked, fleet.observe(asked)).plan.empty
    before = record(fleet).uuid
    later = changed(asked, "web", user_data=NEW)
    made = decide(later, fleet.observe(later)).plan
    (web,) = made.changes
    assert (web.action, web.destroys_data, web.disruption) == (Action.REPLACE, True, Disruption.DESTROYS_DATA)
    assert web.reasons == ("its user-data changed, and its on_user_data_change is replace",)
    assert [field.path for field in web.fields] == ["user_data"]
    guarded = changed(later, "web", protect=True)
    with pytest.raises(SpecError) as caught:
        decide(guarded, fleet.observe(guarded))
    assert [one.message for one in caught.value.problems] == ["instance.web is protected and would be replaced"]
    fleet.apply(made, later)
    assert (record(fleet).uuid == before, record(fleet).seed) == (False, None)
    assert_settled(fleet, later)


def test_one_that_runs_on_older_user_data_is_made_anew_once_it_is_asked_for() -> None:
    fleet = settled(ONE)
    later = changed(ONE, "web", user_data=NEW)
    fleet.apply(decide(later, fleet.observe(later)).plan, later)
    asked = changed(later, "web", renews=True)
    made = decide(asked, fleet.observe(asked)).plan
    (web,) = made.changes
    assert web.action is Action.REPLACE
    assert [(field.path, field.before != field.after) for field in web.fields] == [("user_data", True)]
    fleet.apply(made, asked)
    assert_settled(fleet, asked)


def test_a_new_image_and_new_user_data_are_one_replace() -> None:
    asked = changed(ONE, "web", renews=True)
    fleet = settled(asked)
    later = changed(asked, "web", user_data=NEW, image="other")
    later = replace(later, images={**ONE.images, "other": image("other")})
    (web,) = (one for one in decide(later, fleet.observe(later)).plan.changes if one.address == "instance.web")
    assert (web.action, web.reasons) == (Action.REPLACE, ("a disk cannot change its base",))
