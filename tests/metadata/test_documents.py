"""A document into records: what is complete, who may ask, what must be refused."""

from dataclasses import replace

import pytest

from cloudsync.agent.metadata.documents import records
from cloudsync.agent.metadata.record import from_json, to_json
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Nic
from tests.metadata import world


def test_a_record_has_everything_the_service_needs_of_an_instance() -> None:
    record = world.two_records()[world.UUID_A]
    assert record.complete
    assert record.hostname == "web-1.demo.internal"
    assert record.keys == (("me", f"{world.ED25519} me@there"),)
    assert record.user_data == world.USER_DATA
    assert record.zone == "zone-a"
    assert record.floating == world.FLOATING


def test_every_address_of_an_instance_may_ask() -> None:
    nics = tuple(
        Nic(network="front", address=address, mac="52:54:00:00:00:01", tap=f"cs-{index:012x}")
        for index, address in enumerate(("127.0.0.7", "127.0.0.8"))
    )
    made = world.document(world.instance("two-legs", world.UUID_A, "127.0.0.7", nics=nics))
    assert records(made, {})[world.UUID_A].addresses == ("127.0.0.7", "127.0.0.8")


def test_a_key_that_is_not_in_the_document_leaves_the_record_incomplete() -> None:
    made = world.document(world.instance("web", world.UUID_A, world.ADDRESS_A, keypairs=("lost",)))
    assert not records(made, {})[world.UUID_A].complete


def test_user_data_that_has_not_come_leaves_the_record_incomplete() -> None:
    made = world.document(world.instance("web", world.UUID_A, world.ADDRESS_A, user_data=world.digest(b"x")))
    assert not records(made, {})[world.UUID_A].complete


def test_empty_user_data_is_not_none() -> None:
    wanted = world.instance("web", world.UUID_A, world.ADDRESS_A, user_data=world.digest(b""))
    record = records(world.document(wanted, user_data=(b"",)), {})[world.UUID_A]
    assert record.user_data == b""
    assert record.complete


def test_user_data_that_is_not_what_its_digest_says_is_refused_without_being_quoted() -> None:
    wanted = world.instance("web", world.UUID_A, world.ADDRESS_A, user_data=world.digest(b"x"))
    made = replace(world.document(wanted), user_data={world.digest(b"x").sha256: "c2VjcmV0"})
    with pytest.raises(HostError) as failure:
        records(made, {})
    assert "web" in failure.value.message
    assert "secret" not in failure.value.message


def test_an_instance_that_only_the_directory_knows_here_is_pending() -> None:
    directory = world.elsewhere("late", world.UUID_A, "127.0.0.5", "kvm-1")
    found = records(world.document(directory=directory), {})
    assert found[world.UUID_A].addresses == ("127.0.0.5",)
    assert not found[world.UUID_A].complete


def test_an_instance_on_another_host_is_unknown_here() -> None:
    directory = world.elsewhere("far", world.UUID_A, "127.0.0.5", "kvm-2")
    assert records(world.document(directory=directory), {}) == {}


def test_two_owners_of_an_address_are_refused() -> None:
    made = world.document(
        world.instance("one", world.UUID_A, "127.0.0.5"), world.instance("other", world.UUID_B, "127.0.0.5")
    )
    with pytest.raises(HostError, match=r"127\.0\.0\.5 belongs to two instances"):
        records(made, {})


def test_a_record_travels_unchanged() -> None:
    for record in world.two_records({world.UUID_A: b"\x00posted"}).values():
        assert from_json(to_json(record)) == record


def test_neither_user_data_nor_password_is_in_a_repr() -> None:
    text = repr(world.two_records({world.UUID_A: b"hunter2"}))
    assert "of-a" not in text
    assert "hunter2" not in text
