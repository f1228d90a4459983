"""What a step is called while it runs, and what is said of one that lasts."""

from typing import get_args

import pytest

from cloudsync.apply.events import Failed, Finished, Progressed, Skipped, Started
from cloudsync.model.plan import Plan
from cloudsync.model.step import PutDocument, PutImage, Step
from cloudsync.render.progress import VERBS, Screen
from tests.agent.documents import document
from tests.planner.build import image


def test_every_kind_of_step_has_a_verb() -> None:
    assert {one.__dataclass_fields__["kind"].default for one in get_args(Step)} == set(VERBS)


def test_without_a_terminal_a_step_that_lasts_says_every_five_seconds_how_far_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    step = PutImage(id="i", host="kvm-1", address="image.debian", image=image("debian"))
    now = [100.0]
    with Screen(Plan(cloud="demo", steps=(step,)), clock=lambda: now[0]) as screen:
        screen.seen(Started(step))
        for second in range(1, 13):
            now[0] += 1
            screen.seen(Progressed(step, f"{second}% of 520 MiB"))
        screen.seen(Finished(step))
    assert capsys.readouterr().err.splitlines() == [
        "image image.debian on kvm-1 …",
        "image image.debian on kvm-1: 5% of 520 MiB",
        "image image.debian on kvm-1: 10% of 520 MiB",
        "[1/1] image image.debian on kvm-1: done in 12.0 s",
    ]


def test_documents_that_were_not_put_are_told_once_and_a_host_is_named_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    step = PutImage(id="i", host="kvm-1", address="image.debian", image=image("debian"))
    puts = [
        PutDocument(id=f"{host}/{stage}", host=host, address=f"host.{host}", document=document(), base=0)
        for stage in ("prepare", "rolled-1", "settle")
        for host in ("kvm-1", "kvm-2")
    ]
    with Screen(Plan(cloud="demo", steps=(step, *puts))) as screen:
        screen.seen(Started(step))
        screen.seen(Failed(step, "host kvm-1: the pool is full"))
        for put in puts:
            screen.seen(Skipped(put, "i failed"))
    assert capsys.readouterr().err.splitlines()[1:] == [
        "FAILED image image.debian on kvm-1: the pool is full",
        "skipped network, firewall and metadata on kvm-1, kvm-2: i failed",
    ]
