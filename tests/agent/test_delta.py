"""Deltas of documents: any one into any other, and nothing that does not fit."""

from base64 import b64encode
from dataclasses import fields, replace
from hashlib import sha256
from itertools import pairwise

import pytest

from cloudsync.model import wire
from cloudsync.model.delta import DocumentDelta, Entries, Misfit, Moves, difference, patched
from cloudsync.model.document import Entry, HostDocument
from cloudsync.model.resources import Digest
from tests.agent.documents import UUID, document, instance
from tests.firewall.documents import random_document

ADDRESSES = tuple(f"10.20.1.{number}" for number in range(10, 90))


def travelled(old: HostDocument, new: HostDocument) -> HostDocument:
    """`new` as the agent that has `old` gets it."""
    return patched(old, wire.load(DocumentDelta, wire.dump(difference(old, new)), unknown="forbid"))


def test_any_document_becomes_any_other() -> None:
    chain = [replace(random_document(seed), generation=seed) for seed in range(200)]
    for old, new in pairwise(chain):
        assert travelled(old, new) == new


def test_every_field_travels() -> None:
    """One that were left out would keep its old value on every host for ever."""
    moved = {one.name for one in fields(DocumentDelta)} - {"moves"}
    assert moved == {one.name for one in fields(HostDocument)} - {"cloud", "host"}
    changed = document(
        2, infra=(), uplink=None, keypairs={}, groups={}, networks={}, images={}, instances={}, members={}, directory={}
    )
    assert travelled(document(1), replace(changed, user_data={})) == replace(changed, user_data={})
    assert travelled(changed, document(3)) == document(3)


def test_what_did_not_change_stays_the_same_object() -> None:
    old = document(1, members={"group.default": ADDRESSES})
    more = {**old.directory, "other": Entry(uuid=UUID, host="kvm-2", addresses=("10.20.0.9",))}
    new = travelled(old, replace(document(2, members={"group.default": ADDRESSES}), directory=more))
    assert new.directory["web"] is old.directory["web"]
    for name in ("keypairs", "groups", "networks", "images", "instances", "members", "user_data"):
        assert getattr(new, name) is getattr(old, name), name


def test_one_member_more_or_less_travels_as_that_member() -> None:
    old = document(1, members={"group.default": ADDRESSES})
    new = document(2, members={"group.default": (*ADDRESSES[1:], "10.20.2.1")})
    delta = difference(old, new)
    assert delta.members == Entries()
    assert delta.moves == {"group.default": Moves(joined=("10.20.2.1",), left=ADDRESSES[:1])}
    assert len(wire.dump(delta)) < 1000
    assert travelled(old, new) == new


@pytest.mark.parametrize("after", [ADDRESSES[::-1], (*ADDRESSES, ADDRESSES[0]), ADDRESSES[:3], (), ADDRESSES])
def test_any_set_of_members_arrives_as_it_is(after: tuple[str, ...]) -> None:
    """Also one that is not sorted, or has an address twice: what an agent holds is what it was sent."""
    for before in (ADDRESSES, ADDRESSES[::-1], ADDRESSES[:1], ()):
        old, new = document(1, members={"group.x": before}), document(2, members={"group.x": after})
        assert travelled(old, new) == new


def test_user_data_that_the_agent_has_is_not_sent_again() -> None:
    """The controller never gets it back, so it goes by what the instances name."""
    script = b"#!/bin/sh\n"
    name = sha256(script).hexdigest()
    other = instance("other", uuid="2" + UUID[1:], user_data=Digest(sha256=name, size=len(script)))
    held = document(1)
    more = {**held.user_data, name: b64encode(script).decode()}
    wanted = document(2, instances={**held.instances, "other": other}, user_data=more)
    delta = difference(replace(held, user_data={}), wanted)
    assert set(delta.user_data.set) == {name}
    assert patched(held, delta) == wanted
    back = difference(replace(wanted, user_data={}), document(3))
    assert back.user_data == Entries(removed=(name,))
    assert patched(wanted, back) == document(3)
    assert next(iter(more.values())) not in repr(delta)


HELD = document(1, members={"group.default": ADDRESSES})


@pytest.mark.parametrize(
    "delta",
    [
        DocumentDelta(generation=2, instances=Entries(removed=("nobody",))),
        DocumentDelta(generation=2, instances=Entries(set={"web": instance()}, removed=("web",))),
        DocumentDelta(generation=2, moves={"group.default": Moves(joined=ADDRESSES[:1])}),
        DocumentDelta(generation=2, moves={"group.default": Moves(left=("10.20.9.9",))}),
        DocumentDelta(generation=2, moves={"group.other": Moves(joined=("10.20.9.9",))}),
        DocumentDelta(generation=2, members=Entries(removed=("group.default",)), moves={"group.default": Moves()}),
    ],
)
def test_a_delta_to_another_document_does_not_fit(delta: DocumentDelta) -> None:
    with pytest.raises(Misfit):
        patched(HELD, delta)


@pytest.mark.parametrize("changes", [{"cloud": "other"}, {"host": "kvm-2"}])
def test_cloud_and_host_never_change_by_a_delta(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="does not follow"):
        difference(HELD, replace(HELD, **changes))  # type: ignore[arg-type]
