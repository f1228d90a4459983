"""A watch of a real host: what somebody does there by hand is put right at the event, not at the next interval."""

import json
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from time import monotonic
from typing import Any

import pytest

from cloudsync.watch.consent import Consent
from cloudsync.watch.ear import HostEar
from cloudsync.watch.happening import Ending, RoundEnded
from cloudsync.watch.trigger import Reason
from tests.drift.scene import BOX, Scene, playing, virsh
from tests.effort import PATIENCE
from tests.watch.watched import Watched, watched

pytestmark = pytest.mark.real

NEVER = 86_400.0


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with playing(tmp_path_factory.mktemp("watch")) as it:
        it.write(box=BOX)
        yield it


@pytest.fixture
def it(scene: Scene) -> Iterator[Watched]:
    """In step with the spec."""
    ear = HostEar()
    with watched(scene.spec, NEVER, more=[ear], ears=[ear]) as made:
        while made.next().ending is not Ending.QUIET:
            continue
        yield made


def mended(it: Watched) -> RoundEnded:
    """The round that put something right."""
    began = monotonic()
    while True:
        found = it.next()
        assert found.ending in (Ending.QUIET, Ending.APPLIED), found
        if found.ending is Ending.APPLIED:
            assert {one.reason for one in found.triggers} == {Reason.EVENT}
            assert monotonic() - began < PATIENCE
            return found


def rules() -> list[Any]:
    """Without the numbers that the kernel gives, and what it counts."""
    said = subprocess.check_output(["nft", "--json", "list", "table", "inet", "cloudsync"])
    return [one["rule"] for one in json.loads(said)["nftables"] if "rule" in one]


def test_a_guest_that_somebody_stops_is_started_again(it: Watched) -> None:
    virsh("destroy", "box")
    found = mended(it)
    assert any("box stopped on here" in one.detail for one in found.triggers)
    assert virsh("domstate", "box").strip() == "running"
    assert found.repaired == 1


def test_a_guest_that_stops_on_and_on_waits_its_turn_and_no_other_waits_for_it(scene: Scene, it: Watched) -> None:
    scene.write(box=BOX, more=BOX)
    while "instance.more" not in {change.address for change in it.next().made}:
        continue
    starts: list[float] = []
    while len(starts) < 4:
        virsh("destroy", "box")
        while "instance.box" not in (found := it.next()).mended:
            assert found.ending is Ending.QUIET, found
        starts.append(monotonic())
    gaps = [after - before for before, after in pairwise(starts)]
    assert all(gap > wait for gap, wait in zip(gaps, (1.0, 2.0, 4.0), strict=True)), gaps
    virsh("destroy", "box")
    virsh("destroy", "more")
    while "instance.more" not in (found := it.next()).mended:
        assert "instance.box" not in found.mended
    assert [one.address for one in found.resting] == ["instance.box"]
    assert virsh("domstate", "box").strip() == "shut off"
    assert virsh("domstate", "more").strip() == "running"
    while "instance.box" not in it.next().mended:
        continue
    assert monotonic() - starts[-1] > 8.0
    scene.write(box=BOX)
    while not it.next().held:
        continue
    it.watch.hear(Consent.ALL.trigger)
    assert Reason.APPROVAL in reasons(it)


def test_one_that_is_to_go_and_waits_for_that_is_started_again(scene: Scene, it: Watched) -> None:
    scene.write(box=BOX, more=BOX)
    while "instance.more" not in {change.address for change in it.next().made}:
        continue
    scene.write(box=BOX)
    while not it.next().held:
        continue
    virsh("destroy", "more")
    while "instance.more" not in (found := it.next()).mended:
        continue
    assert [one.change.address for one in found.held] == ["instance.more"]
    assert virsh("domstate", "more").strip() == "running"
    while it.next().ending is not Ending.QUIET:
        continue
    it.watch.hear(Consent.ALL.trigger)
    assert Reason.APPROVAL in reasons(it)
    assert virsh("list", "--all", "--name").split() == ["box"]


def test_a_machine_that_somebody_undefines_is_there_again(it: Watched) -> None:
    """Also when the watch is just about to start it: that fails, and is tried again."""
    virsh("destroy", "box")
    virsh("undefine", "box")
    while "box" not in virsh("list", "--state-running", "--persistent", "--name").split():
        assert {one.reason for one in it.next().triggers} <= {Reason.EVENT, Reason.RETRY, Reason.CONFIRM}


def test_a_rule_that_somebody_deletes_is_there_again(it: Watched) -> None:
    before = rules()
    victim = before[-1]
    where = [victim[key] for key in ("family", "table", "chain")]
    subprocess.run(["nft", "delete", "rule", *where, "handle", str(victim["handle"])], check=True)
    assert len(rules()) == len(before) - 1
    found = mended(it)
    assert any(one.detail.startswith("here: ") for one in found.triggers)
    assert [one["expr"] for one in rules()] == [one["expr"] for one in before]


def reasons(it: Watched) -> set[Reason]:
    """Of the rounds until all is as it is wanted."""
    found: set[Reason] = set()
    while True:
        ended = it.next()
        found |= {one.reason for one in ended.triggers}
        if ended.ending is Ending.QUIET and not ended.held:
            return found


def test_its_own_changes_are_no_news(scene: Scene, it: Watched) -> None:
    scene.write(box=BOX, more=BOX)
    assert reasons(it) == {Reason.SAVE, Reason.CONFIRM}
    scene.write(box=BOX)
    while not it.next().held:
        continue
    it.watch.hear(Consent.ALL.trigger)
    assert reasons(it) == {Reason.APPROVAL, Reason.CONFIRM}
    assert virsh("list", "--all", "--name").split() == ["box"]
