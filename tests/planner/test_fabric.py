"""What plans say and do about packets between hosts: addresses, the tunnel's packet size, and who is waited for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cloudsync.model.cloud import Cloud, Host, Where
from cloudsync.model.document import Applied
from cloudsync.model.plan import Action, Disruption, Plan
from cloudsync.model.problem import Place, SpecError
from cloudsync.model.snapshot import HostState, HostStatus, Snapshot, Usage
from cloudsync.model.step import CreateInstance, PutDocument
from cloudsync.planner.make import make_plan
from cloudsync.planner.resolve import resolve
from cloudsync.render.plan_text import text
from cloudsync.scheduler.place import place
from tests.laws.fleet import Fleet, decide
from tests.planner.build import cloud, instance
from tests.planner.test_changes import apply, change, plan, settled

H1 = Host(name="kvm-1", uri="sim:", address="192.0.2.11", reserved=Usage())
H2 = Host(name="kvm-2", uri="sim:", address="192.0.2.12", reserved=Usage())

H3 = Host(name="kvm-3", uri="sim:", address="192.0.2.13", reserved=Usage())


def spec(*names: str, **fields: Any) -> Cloud:
    """`a` on kvm-1 and so on, in turns; those that start with b are in group `web` only."""
    made = [
        instance(
            name,
            where=Where(host="kvm-1" if name[0] == "a" else "kvm-2"),
            groups=("web",) if name[0] == "b" else ("default",),
        )
        for name in names
    ]
    return cloud(*made, **{"hosts": (H1, H2), **fields})


def waits(made: Plan, name: str) -> tuple[str, ...]:
    (step,) = (step for step in made.steps if isinstance(step, CreateInstance) and step.instance.name == name)
    return step.waits_for


def puts(made: Plan) -> Mapping[str, PutDocument]:
    return {step.id: step for step in made.steps if isinstance(step, PutDocument)}


def test_a_document_has_every_hosts_address_and_the_way_of_packets() -> None:
    for fabric in ("direct", "vxlan"):
        document = puts(plan(Fleet(), spec("a", fabric=fabric)))["kvm-1/document"].document
        assert document.underlay == {"kvm-1": "192.0.2.11", "kvm-2": "192.0.2.12"}
        assert document.fabric == fabric


def test_a_host_alone_has_nothing_of_it() -> None:
    made = plan(Fleet(), spec("a", fabric="vxlan", hosts=(H1,)))
    document = puts(made)["kvm-1/document"].document
    assert (document.fabric, document.underlay) == ("direct", {})
    assert document.instances["a"].nics[0].mtu is None


def test_a_new_guest_waits_for_hosts_whose_rules_are_about_it() -> None:
    """c and a are in `default`, which lets its members in; b's `web` names nobody."""
    fleet = settled(spec("a", "c"))
    assert waits(apply(fleet, spec("a", "c", "a2")), "a2")[:2] == ("kvm-1/document", "kvm-2/document")


def test_it_does_not_wait_for_hosts_that_only_get_a_route_to_it() -> None:
    fleet = settled(spec("a", "b"))
    assert "kvm-2/document" not in waits(apply(fleet, spec("a", "b", "a2")), "a2")


def test_nor_for_hosts_where_nothing_runs_yet() -> None:
    made = plan(Fleet(), spec("a", "c"))
    assert "kvm-2/document" not in waits(made, "a")


def test_it_waits_for_hosts_that_took_its_address_for_another_one() -> None:
    """a2 is in no group that c's rules are about, but has the address of one that was."""
    old = spec("a", "c", "a2")
    fleet = settled(old)
    address = plan(fleet, old) and fleet.observe(old).hosts["kvm-1"].document
    assert address
    (taken,) = address.directory["a2"].addresses
    heir = instance("d", address=taken, groups=("web",), where=Where(host="kvm-1"))
    whole = spec("a", "c")
    made = apply(fleet, replace(whole, instances={**whole.instances, "d": heir}))
    assert "kvm-2/document" in waits(made, "d")


def test_the_fabric_changes_live_and_guests_take_the_packet_size_at_their_next_boot() -> None:
    fleet = settled(spec("a", "c"))
    made = apply(fleet, spec("a", "c", fabric="vxlan"))
    assert [(one.path, one.before, one.after) for one in change(made, "host.kvm-1").fields] == [
        ("fabric", "direct", "vxlan")
    ]
    assert change(made, "host.kvm-1").disruption is Disruption.LIVE
    told = change(made, "instance.a")
    assert [(one.path, one.before, one.after) for one in told.fields] == [("mtu", "usual", "1450")]
    assert told.disruption is Disruption.NONE
    assert {type(step) for step in made.steps} == {PutDocument}
    back = apply(fleet, spec("a", "c"))
    assert [(one.path, one.after) for one in change(back, "instance.a").fields] == [("mtu", "usual")]


@pytest.mark.parametrize("fabric", ["direct", "vxlan"])
@pytest.mark.parametrize("others", [(H1,), (H1, H2)])
def test_a_host_that_joins_or_leaves_is_one_line_without_the_addresses_of_all(
    fabric: str, others: tuple[Host, ...]
) -> None:
    names = ("a", "c")[: len(others)]
    few = spec(*names, fabric=fabric, hosts=others)
    more = spec(*names, fabric=fabric, hosts=(*others, H3))
    fleet = settled(few)
    for goal, action, line in (
        (more, Action.CREATE, "  + host.kvm-3  joins the cloud"),
        (few, Action.DELETE, "  - host.kvm-3  leaves the cloud"),
    ):
        made = apply(fleet, goal)
        told = [one for one in made.changes if one.address.startswith("host.")]
        assert [(one.address, one.action) for one in told] == [("host.kvm-3", action)]
        assert {one.name for one in others} <= set(told[0].hosts)
        assert line in text(made, False)
        assert "192.0.2" not in text(made, False)


def test_another_address_is_shown_beside_a_host_that_joins() -> None:
    fleet = settled(spec("a", "c"))
    made = apply(fleet, spec("a", "c", hosts=(H1, replace(H2, address="192.0.2.22"), H3)))
    assert [(one.path, one.before, one.after) for one in change(made, "host.kvm-1").fields] == [
        ("infra", "192.0.2.11, 192.0.2.12", "192.0.2.11, 192.0.2.22"),
        ("underlay", "kvm-1 192.0.2.11, kvm-2 192.0.2.12", "kvm-1 192.0.2.11, kvm-2 192.0.2.22"),
    ]


def test_where_a_wrong_machine_answers_the_way_to_the_right_one_stays() -> None:
    """Two names were swapped in the spec: both hosts are left alone, and so are the routes to them."""
    fleet = settled(spec("a", "b", "c", hosts=(H1, H2, H3)))
    swapped = spec("a", "b", "c", hosts=(replace(H1, address=H2.address), replace(H2, address=H1.address), H3))
    snapshot = fleet.observe(swapped)
    wrong = {
        name: HostState(name=name, status=HostStatus.FOREIGN, reason="it is another host")
        for name in ("kvm-1", "kvm-2")
    }
    made = decide(swapped, Snapshot(hosts={**snapshot.hosts, **wrong})).plan
    assert made.steps == ()


def seen(whole: Cloud, **mtus: Mapping[str, int]) -> Plan:
    """With hosts that are real, and say this of their addresses."""
    real = {name: replace(one, uri=f"qemu+ssh://{name}/system") for name, one in whole.hosts.items()}
    whole = replace(whole, hosts=real)
    observed = Fleet().observe(whole)
    hosts: dict[str, HostState] = {
        name: replace(state, mtus=mtus.get(name.replace("-", "_"), {})) for name, state in observed.hosts.items()
    }
    snapshot = Snapshot(hosts=hosts)
    placements, unplaced = place(whole, snapshot)
    desired = resolve(whole, placements, snapshot)
    return make_plan(whole, desired, snapshot, placements, unplaced, Applied())


def test_the_packet_size_is_what_the_hosts_own_underlay_leaves() -> None:
    made = seen(spec("a", "c", fabric="vxlan"), kvm_1={"192.0.2.11": 9000}, kvm_2={"192.0.2.12": 1400})
    sizes = {step.instance.name: step.instance.nics[0].mtu for step in made.steps if isinstance(step, CreateInstance)}
    assert sizes == {"a": 8950, "c": 1350}


def test_a_host_without_the_address_that_the_spec_says_is_refused() -> None:
    place = Place("cloud.yaml", 7, 5)
    wrong = spec("a", places={"host.kvm-1/address": place})
    for fabric in ("direct", "vxlan"):
        with pytest.raises(SpecError) as caught:
            seen(replace(wrong, fabric=fabric), kvm_1={"192.0.2.99": 1500, "127.0.0.1": 65536})
        (problem,) = caught.value.problems
        said = "host.kvm-1: its address 192.0.2.11 is not one of that machine's, which are 192.0.2.99"
        assert (problem.message, problem.place) == (said, place)


def test_nor_is_one_refused_that_has_it_or_does_not_say_or_is_to_be_left_or_is_alone() -> None:
    other = {"192.0.2.99": 1500}
    assert seen(spec("a"), kvm_1={**other, "192.0.2.11": 1500}).warnings == ()
    assert seen(spec("a")).warnings == ()
    assert seen(spec("a", hosts=(H1,)), kvm_1=other).warnings == ()
    assert seen(spec(hosts=(H1, replace(H2, address=None)), groups={}), kvm_1=other).warnings == ()
