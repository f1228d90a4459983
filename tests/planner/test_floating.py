"""Floating addresses pass from one instance to another: in one document on one host, in two steps between hosts."""

from dataclasses import replace

import pytest

from cloudsync.model.cloud import Cloud, Where
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Plan
from cloudsync.model.problem import SpecError
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot
from cloudsync.model.step import PutDocument
from tests.laws.fleet import decide
from tests.planner.build import changed, cloud, instance, without
from tests.planner.test_changes import apply, change, plan, settled

FIRST, SECOND = "203.0.113.10", "203.0.113.11"


def on(host: str) -> dict[str, Where]:
    return {"where": Where(host=host)}


def puts(made: Plan) -> dict[str, PutDocument]:
    return {step.id: step for step in made.steps if isinstance(step, PutDocument)}


def given(document: HostDocument) -> dict[str, tuple[str, ...]]:
    return {name: one.floating for name, one in document.instances.items()}


HERE = cloud(instance("a", floating=FIRST), instance("b", floating=SECOND), instance("c"), hosts=("kvm-1",))
APART = cloud(
    instance("a", floating=FIRST, **on("kvm-1")),
    instance("b", floating=SECOND, **on("kvm-2")),
    hosts=("kvm-1", "kvm-2"),
)


def swapped(whole: Cloud) -> Cloud:
    return changed(changed(whole, "a", floating=SECOND), "b", floating=FIRST)


def test_on_one_host_one_document_does_it() -> None:
    made = apply(settled(HERE), swapped(HERE))
    ((_, put),) = puts(made).items()
    assert given(put.document) == {"a": (SECOND,), "b": (FIRST,), "c": ()}
    assert change(made, "instance.a").reasons == (
        f"{SECOND} moves here from instance.b",
        f"{FIRST} moves to instance.b",
    )


def test_between_hosts_nobody_has_it_before_the_other_let_go() -> None:
    """The fleet of the laws refuses two documents with one floating address; a swap must not wait in a circle."""
    found = puts(apply(settled(APART), swapped(APART)))
    assert given(found["kvm-1/document"].document) == {"a": ()}
    assert given(found["kvm-2/document"].document) == {"b": ()}
    assert given(found["kvm-1/document-settled"].document) == {"a": (SECOND,)}
    assert set(found["kvm-1/document-settled"].waits_for) == {"kvm-1/document", "kvm-2/document"}


def test_one_that_goes_gives_it_up_at_once_and_not_when_its_disk_is_gone() -> None:
    fleet = settled(HERE)
    wanted = changed(without(HERE, "a"), "c", floating=FIRST)
    found = puts(apply(fleet, wanted))
    assert given(found["kvm-1/document"].document) == {"a": (), "b": (SECOND,), "c": (FIRST,)}
    assert given(found["kvm-1/document-settled"].document) == {"b": (SECOND,), "c": (FIRST,)}


def test_one_that_goes_keeps_what_nobody_else_gets_until_it_is_gone() -> None:
    found = puts(apply(settled(HERE), without(HERE, "a")))
    assert given(found["kvm-1/document"].document)["a"] == (FIRST,)


def test_it_stays_with_one_that_is_renamed() -> None:
    wanted = without(replace(HERE, instances={**HERE.instances, "z": instance("z", was=("a",), floating=FIRST)}), "a")
    made = apply(settled(HERE), wanted)
    assert [field.path for field in change(made, "instance.z").fields] == ["name"]
    assert change(made, "instance.z").reasons == ()


def test_every_host_knows_who_has_it() -> None:
    fleet = settled(APART)
    for host in APART.hosts:
        document = fleet.hosts[host].state.document
        assert document
        assert {name: entry.floating for name, entry in document.directory.items()} == {"a": (FIRST,), "b": (SECOND,)}


def test_what_a_silent_host_may_still_answer_for_is_given_to_nobody() -> None:
    fleet = settled(APART)
    wanted = swapped(APART)
    snapshot = fleet.observe(wanted)
    gone = HostState(name="kvm-2", status=HostStatus.UNREACHABLE, reason="connection refused")
    with pytest.raises(SpecError) as caught:
        decide(wanted, Snapshot(hosts={**snapshot.hosts, "kvm-2": gone}))
    (problem,) = caught.value.problems
    assert problem.message == (
        f"instance.a is to have {SECOND}, which instance.b has on host.kvm-2: that host cannot be asked"
    )


def test_only_what_differs_is_planned() -> None:
    assert plan(settled(APART), APART).empty
