"""What a change of the spec does to what is there: one rule each, checked on simulated hosts."""

from dataclasses import replace
from typing import Any

import pytest

from cloudsync.model.cloud import Cloud, Flavor, WantedNic
from cloudsync.model.plan import Action, Change, Disruption, Plan
from cloudsync.model.problem import CloudsyncError, SpecError
from cloudsync.model.resources import Power
from cloudsync.model.step import CreateInstance, DeleteInstance, PutDocument
from tests.laws.fleet import Fleet, decide
from tests.laws.settled import assert_settled
from tests.planner.build import (
    ADMIN,
    GIB,
    HTTPS,
    LARGE,
    SMALL,
    changed,
    cloud,
    group,
    image,
    instance,
    network,
    without,
)

SECRET = b"#cloud-config\npassword: swordfish\n"


def settled(whole: Cloud) -> Fleet:
    fleet = Fleet()
    outcome = fleet.apply(decide(whole, fleet.observe(whole)).plan, whole)
    assert not outcome.failed, fleet.failures
    return fleet


def plan(fleet: Fleet, whole: Cloud) -> Plan:
    return decide(whole, fleet.observe(whole)).plan


def apply(fleet: Fleet, whole: Cloud) -> Plan:
    made = plan(fleet, whole)
    outcome = fleet.apply(made, whole)
    assert not outcome.failed, fleet.failures
    assert_settled(fleet, whole)
    return made


def change(made: Plan, address: str) -> Change:
    found = [one for one in made.changes if one.address == address]
    assert len(found) == 1, made.changes
    return found[0]


def refused(fleet: Fleet, whole: Cloud) -> str:
    with pytest.raises(SpecError) as caught:
        plan(fleet, whole)
    return "\n".join(problem.message for problem in caught.value.problems)


BASE = cloud(instance("web"), instance("db", state=Power.STOPPED))


@pytest.mark.parametrize(
    ("fields", "disruption", "shown"),
    [
        ({"flavor": replace(SMALL, memory=1 * GIB)}, Disruption.LIVE, ("memory", "512 MiB", "1 GiB")),
        ({"flavor": replace(SMALL, vcpus=2)}, Disruption.LIVE, ("vcpus", "1", "2")),
        ({"flavor": replace(SMALL, disk=8 * GIB)}, Disruption.LIVE, ("disk", "4 GiB", "8 GiB")),
        ({"flavor": replace(SMALL, name="tiny")}, Disruption.NONE, ("flavor", "small", "tiny")),
        ({"groups": ("default", "web")}, Disruption.LIVE, ("security_groups", "default", "default, web")),
        ({"floating": "203.0.113.10"}, Disruption.LIVE, ("floating_ip", "none", "203.0.113.10")),
        ({"keypairs": ("alice",)}, Disruption.NONE, ("keypairs", "none", "alice")),
        ({"metadata": {"role": "front"}}, Disruption.NONE, ("metadata.role", "none", "front")),
        ({"state": Power.STOPPED}, Disruption.RESTART, ("state", "running", "stopped")),
        ({"protect": True}, Disruption.NONE, ("protect", "false", "true")),
        (
            {"nics": (WantedNic(network="default", address="10.20.0.99"),)},
            Disruption.RESTART,
            ("address", "", "10.20.0.99"),
        ),
        (
            {"nics": (WantedNic(network="default", port_security=False),)},
            Disruption.LIVE,
            ("port_security", "on", "off"),
        ),
    ],
)
def test_a_field_has_its_class_and_is_shown(
    fields: dict[str, Any], disruption: Disruption, shown: tuple[str, str, str]
) -> None:
    fleet = settled(BASE)
    wanted = changed(BASE, "web", **fields)
    found = change(apply(fleet, wanted), "instance.web")
    assert (found.action, found.disruption) == (Action.UPDATE, disruption)
    path, before, after = shown
    field = next(one for one in found.fields if one.path == path)
    assert field.after == after
    assert before in ((field.before or "none"), "")


def test_a_stopped_machine_is_not_restarted() -> None:
    found = change(apply(settled(BASE), changed(BASE, "db", flavor=LARGE)), "instance.db")
    assert found.disruption is Disruption.NONE


def test_user_data_is_shown_by_size_and_digest_only() -> None:
    made = apply(settled(BASE), changed(BASE, "web", user_data=SECRET))
    field = next(one for one in change(made, "instance.web").fields if one.path == "user_data")
    assert field.after
    assert f"{len(SECRET):,} bytes" in field.after
    assert "swordfish" not in repr(made)


def test_a_booted_guest_keeps_what_it_was_given() -> None:
    made = apply(settled(BASE), changed(BASE, "web", keypairs=("alice",)))
    assert any("booted" in reason for reason in change(made, "instance.web").reasons)


def test_rules_are_shown_one_by_one() -> None:
    wanted = replace(BASE, groups={**BASE.groups, "web": group("web", ADMIN)})
    found = change(apply(settled(BASE), wanted), "group.web")
    assert found.disruption is Disruption.LIVE
    assert {(one.before, one.after) for one in found.fields} == {
        ("tcp/443 from any", None),
        (None, "tcp/8443 from any"),
    }
    assert HTTPS not in wanted.groups["web"].rules


def test_a_new_image_replaces_and_keeps_the_address() -> None:
    fleet = settled(BASE)
    before = decide(BASE, fleet.observe(BASE)).desired.instances["web"]
    wanted = changed(replace(BASE, images={**BASE.images, "noble": image("noble")}), "web", image="noble")
    made = apply(fleet, wanted)
    found = change(made, "instance.web")
    assert (found.action, found.destroys_data, found.disruption) == (Action.REPLACE, True, Disruption.DESTROYS_DATA)
    after = decide(wanted, fleet.observe(wanted)).desired.instances["web"]
    assert after.nics[0].address == before.nics[0].address
    assert after.uuid != before.uuid
    assert after.incarnation == before.incarnation + 1


def test_the_old_disk_goes_only_when_the_new_image_is_there() -> None:
    fleet = settled(BASE)
    wanted = changed(replace(BASE, images={**BASE.images, "noble": image("noble")}), "web", image="noble")
    made = plan(fleet, wanted)
    fetch = next(step.id for step in made.steps if step.kind == "put-image")
    delete = next(step for step in made.steps if isinstance(step, DeleteInstance))
    assert delete.waits_for == (fetch,)


@pytest.mark.parametrize(("new", "old"), [("front", "web"), ("web-1", "web")])
def test_a_rename_keeps_everything(new: str, old: str) -> None:
    fleet = settled(BASE)
    before = decide(BASE, fleet.observe(BASE)).desired.instances[old]
    wanted = without(replace(BASE, instances={**BASE.instances, new: instance(new, was=(old,))}), old)
    found = change(apply(fleet, wanted), f"instance.{new}")
    assert (found.action, found.destroys_data) == (Action.RENAME, False)
    after = decide(wanted, fleet.observe(wanted)).desired.instances[new]
    assert (after.uuid, after.nics, after.host) == (before.uuid, before.nics, before.host)


def test_only_one_may_come_from_an_old_name_and_it_does_not_matter_how_the_spec_is_ordered() -> None:
    fleet = settled(BASE)
    two = [instance("b-front", was=("web",)), instance("a-front", was=("web",))]
    for order in (two, two[::-1]):
        wanted = cloud(*order, BASE.instances["db"])
        made = plan(fleet, wanted)
        assert change(made, "instance.a-front").action is Action.RENAME
        assert change(made, "instance.b-front").action is Action.CREATE


def test_a_name_that_is_still_wanted_is_not_taken() -> None:
    made = apply(settled(BASE), replace(BASE, instances={**BASE.instances, "new": instance("new", was=("web",))}))
    assert change(made, "instance.new").action is Action.CREATE


def test_removing_destroys_the_disk_and_says_so() -> None:
    found = change(apply(settled(BASE), without(BASE, "web")), "instance.web")
    assert (found.action, found.destroys_data) == (Action.DELETE, True)


def test_protected_ones_are_refused_all_at_once() -> None:
    guarded = changed(changed(BASE, "web", protect=True), "db", protect=True)
    fleet = settled(guarded)
    said = refused(fleet, without(guarded, "web", "db"))
    assert "instance.web is protected" in said
    assert "instance.db is protected" in said
    replaced = changed(replace(guarded, images={**guarded.images, "noble": image("noble")}), "web", image="noble")
    assert "would be replaced" in refused(fleet, replaced)


def test_disks_do_not_shrink() -> None:
    fleet = settled(changed(BASE, "web", flavor=LARGE))
    assert "40 GiB: it cannot shrink to 4 GiB" in refused(fleet, BASE)


def test_growing_beyond_the_host_is_refused_with_numbers() -> None:
    whole = cloud(instance("web"), hosts=("kvm-1",))
    fleet = settled(whole)
    giant = Flavor(name="giant", vcpus=1, memory=300 * GIB, disk=4 * GIB)
    assert "44 GiB of memory too much" in refused(fleet, changed(whole, "web", flavor=giant))


def test_a_new_gateway_restarts_those_on_the_network() -> None:
    wanted = replace(BASE, networks={"default": network(gateway="10.20.0.254")})
    found = change(apply(settled(BASE), wanted), "instance.web")
    assert found.disruption is Disruption.RESTART
    assert [(one.path, one.before, one.after) for one in found.fields] == [("gateway", "10.20.0.1", "10.20.0.254")]


def test_a_new_subnet_gives_new_addresses() -> None:
    wanted = replace(BASE, networks={"default": network("10.30.0.0/24", "10.30.0.1")})
    made = apply(settled(BASE), wanted)
    assert any(one.path == "address" for one in change(made, "instance.web").fields)


def test_swapped_addresses_pass_in_order() -> None:
    """Both are off before either has the other's: the fleet refuses two running machines with one address."""
    first = cloud(instance("a", address="10.20.0.5"), instance("b", address="10.20.0.6"))
    fleet = settled(first)
    apply(fleet, cloud(instance("a", address="10.20.0.6"), instance("b", address="10.20.0.5")))


def test_an_address_passes_from_one_that_goes_on_another_host() -> None:
    first = cloud(instance("a", address="10.20.0.5"), instance("pad"))
    fleet = settled(first)
    made = apply(fleet, cloud(instance("new", address="10.20.0.5"), instance("pad")))
    create = next(step for step in made.steps if isinstance(step, CreateInstance))
    assert any(word.endswith("/delete") for word in create.waits_for)


def test_addresses_of_what_goes_are_left_alone_while_others_are_free() -> None:
    fleet = settled(cloud(instance("a")))
    held = decide(cloud(instance("a")), fleet.observe(BASE)).desired.instances["a"].nics[0].address
    for number in range(60):
        wanted = cloud(instance(f"n{number}"))
        assert decide(wanted, fleet.observe(wanted)).desired.instances[f"n{number}"].nics[0].address != held


def test_a_full_network_gives_what_goes_and_then_says_so() -> None:
    small = {"networks": {"default": network("10.20.0.0/30", "10.20.0.1")}}
    fleet = settled(cloud(instance("a"), **small))
    apply(fleet, cloud(instance("b"), **small))
    with pytest.raises(CloudsyncError, match="no address left"):
        plan(fleet, cloud(instance("a"), instance("b"), **small))


def test_a_cut_off_apply_lost_nothing_of_what_it_was_not_told_to_destroy() -> None:
    """A disk whose domain is missing is used again."""
    fleet = settled(BASE)
    uuid, host = next(iter(fleet.machines().items()))
    state = fleet.hosts[host].state
    fleet.hosts[host].state = replace(state, machines={})
    made = apply(fleet, BASE)
    assert not made.destroys
    assert fleet.machines()[uuid] == host
    assert any("will be made on its disk" in one.remedy for one in made.drift)


def test_the_same_spec_makes_the_same_document_but_for_who_and_when() -> None:
    fleet = settled(BASE)
    later = replace(BASE, commit="abc", digest="d2")
    assert plan(fleet, later).empty


def test_a_host_that_joins_is_one_line() -> None:
    fleet = settled(cloud(instance("web"), hosts=("kvm-1",)))
    made = apply(fleet, cloud(instance("web"), hosts=("kvm-1", "kvm-2")))
    assert [(one.address, one.action) for one in made.changes] == [("host.kvm-2", Action.CREATE)]


def test_a_document_is_put_at_most_twice_and_the_second_builds_on_the_first() -> None:
    fleet = settled(BASE)
    made = plan(fleet, without(BASE, "web"))
    puts = [step for step in made.steps if isinstance(step, PutDocument) and step.id.endswith(("document", "settled"))]
    for host in {step.host for step in puts}:
        bases = [step.base for step in puts if step.host == host]
        assert bases == list(range(bases[0], bases[0] + len(bases)))
        assert len(bases) <= 2
