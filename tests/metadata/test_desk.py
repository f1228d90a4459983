"""Who may ask what: strangers, instances that are not complete yet, passwords, reports, changed records."""

from base64 import b64encode
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from cloudsync.agent.metadata.desk import Desk, Request
from cloudsync.agent.metadata.page import Page
from cloudsync.agent.metadata.reports import Event, Home, Password, Report
from tests.metadata import world

SESSION = "/latest/api/token"
HOSTNAME = "/latest/meta-data/hostname"
POSTED = "/openstack/latest/password"


class Guest:
    """A desk as one guest sees it; what it reports is in `told`."""

    def __init__(self, source: str = world.ADDRESS_A, keeps_up: bool = True) -> None:
        self.source, self.keeps_up = source, keeps_up
        self.told: list[tuple[str, Report]] = []
        self.now = 0.0
        self.desk = Desk(self._tell, clock=lambda: self.now)
        self.desk.change(world.two_records().values(), ())

    def _tell(self, uuid: str, report: Report) -> bool:
        if self.keeps_up:
            self.told.append((uuid, report))
        return self.keeps_up

    def ask(self, path: str, method: bytes = b"GET", body: bytes = b"") -> Page:
        return self.desk.answer(Request(self.source, method, path.encode(), body=body))

    def post(self, path: str, body: bytes) -> int:
        return self.ask(path, b"POST", body).status


def test_a_stranger_gets_the_list_of_versions_and_nothing_else() -> None:
    stranger = Guest(world.STRANGER)
    assert stranger.ask("/").status == 200
    for path in ("/ec2", "/latest", "/openstack", "/openstack/latest/meta_data.json", HOSTNAME, POSTED, SESSION):
        assert stranger.ask(path).status == 404
    assert stranger.post("/cloudsync/report", b'{"name": "x", "event_type": "start"}') == 404


def test_each_source_gets_its_own() -> None:
    assert Guest(world.ADDRESS_A).ask(HOSTNAME).body == b"web-1.demo.internal"
    assert Guest(world.ADDRESS_B).ask(HOSTNAME).body == b"db.demo.internal"


def test_a_pending_instance_is_told_to_come_back_except_for_the_token() -> None:
    guest = Guest()
    guest.desk.change([replace(world.two_records()[world.UUID_A], complete=False)], ())
    for path in ("/openstack", "/openstack/latest/meta_data.json", "/latest/meta-data/", POSTED, "/ec2"):
        answer = guest.ask(path)
        assert answer.status == 503
        assert b"\r\nRetry-After: 1\r\n" in answer.head
    assert guest.ask("/").status == 200
    assert guest.ask(SESSION, b"PUT").status == 404
    assert guest.ask("//latest/api/token/", b"PUT").status == 404
    guest.desk.change([world.two_records()[world.UUID_A]], ())
    assert guest.ask(HOSTNAME).status == 200


def test_a_dropped_record_is_gone_and_a_moved_address_is_the_new_owners() -> None:
    guest = Guest()
    guest.desk.change((), [world.UUID_A])
    assert guest.ask(HOSTNAME).status == 404
    taken_over = replace(world.two_records()[world.UUID_B], addresses=(world.ADDRESS_A,))
    guest.desk.change([taken_over], ())
    assert guest.ask(HOSTNAME).body == b"db.demo.internal"


def test_a_password_is_set_once() -> None:
    guest = Guest()
    assert (guest.ask(POSTED).status, guest.ask(POSTED).body) == (200, b"")
    assert guest.post(POSTED, b"x" * 1021) == 400
    assert guest.post(POSTED, b"x" * 1020) == 200
    assert guest.ask(POSTED).body == b"x" * 1020
    assert guest.post(POSTED, b"other") == 409
    assert guest.post("/openstack/2013-04-04/password", b"other") == 409
    assert guest.told == [(world.UUID_A, Password(b"x" * 1020))]
    assert guest.ask(POSTED, b"PUT").status == 400


def test_a_password_outlives_a_change_of_the_record() -> None:
    guest = Guest()
    guest.post(POSTED, b"x")
    guest.desk.change([replace(world.two_records()[world.UUID_A], zone="other")], ())
    assert guest.ask("/latest/meta-data/placement/availability-zone").body == b"other"
    assert guest.ask(POSTED).body == b"x"
    assert guest.post(POSTED, b"y") == 409


def test_an_event_is_told_for_the_caller() -> None:
    guest = Guest(world.ADDRESS_B)
    body = b'{"name": "modules-final/config-scripts-user", "event_type": "finish", "result": "FAIL", "origin": "x"}'
    assert guest.post("/cloudsync/report", body) == 200
    assert guest.told == [(world.UUID_B, Event("modules-final/config-scripts-user", "FAIL"))]


def home(instance_id: str, key: str = f"{world.ED25519} root@web") -> bytes:
    return urlencode(
        {"pub_key_rsa": "N/A", "pub_key_ed25519": key, "instance_id": instance_id, "hostname": "web", "fqdn": "web.x"}
    ).encode()


@pytest.mark.parametrize("identity", [world.UUID_A, "i-0b1c2d3e"])
def test_phoning_home_brings_the_host_keys_without_their_comments(identity: str) -> None:
    guest = Guest()
    assert guest.post("/cloudsync/phone-home", home(identity)) == 200
    assert guest.told == [(world.UUID_A, Home((world.ED25519,)))]


def test_nobody_phones_home_for_another() -> None:
    guest = Guest()
    assert guest.post("/cloudsync/phone-home", home(world.UUID_B)) == 400
    assert guest.told == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"[" * 60_000,
        b"\xff",
        b'{"name": "x"}',
        b'{"name": "x", "event_type": "finish"}',
        b'{"name": "x", "event_type": "finish", "result": "GREAT"}',
        b'{"name": "\\u001b[2J", "event_type": "start"}',
        b'{"name": ["x"], "event_type": "start"}',
        b'{"name": "' + b"x" * 101 + b'", "event_type": "start"}',
        b'{"name": "x", "event_type": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_event_is_400(body: bytes) -> None:
    guest = Guest()
    assert guest.post("/cloudsync/report", body) == 400
    assert guest.told == []


@pytest.mark.parametrize(
    "key",
    [
        "ssh-dss AAAAB3NzaC1kc3MAAACBAL8=",
        "ssh-ed25519 AAAA",
        world.SECURITY_KEY,
        'command="x" ' + world.ED25519,
        world.ED25519 + " \x1b[2J",
        "ssh-rsa " + b64encode(b"\x00\x00\x00\x07ssh-rsa" + b"\x00\x00\x00\x01\x03" * 2).decode(),
    ],
)
def test_what_is_no_host_key_is_left_out(key: str) -> None:
    guest = Guest()
    assert guest.post("/cloudsync/phone-home", home(world.UUID_A, key)) == 200
    assert guest.told == [(world.UUID_A, Home(()))]


def test_too_many_reports_are_429_and_only_the_callers() -> None:
    guest, body = Guest(), b'{"name": "x", "event_type": "start"}'
    assert [guest.post("/cloudsync/report", body) for _ in range(201)] == [200] * 200 + [429]
    guest.source = world.ADDRESS_B
    assert guest.post("/cloudsync/report", body) == 200
    guest.source, guest.now = world.ADDRESS_A, 0.2
    assert guest.post("/cloudsync/report", body) == 200


def test_when_the_agent_does_not_keep_up_guests_come_back() -> None:
    guest = Guest(keeps_up=False)
    assert guest.post("/cloudsync/report", b'{"name": "x", "event_type": "start"}') == 503
    assert guest.post(POSTED, b"x") == 503
    assert guest.ask(POSTED).body == b""
