"""The part and its real process: records in before `apply` returns, reports out, death and return, the port."""

import json
import os
import signal
import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.agent.metadata.port import holder
from cloudsync.model import wire
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Boot
from tests.metadata import world
from tests.metadata.running import Running, killed

pytestmark = pytest.mark.slow

HOSTNAME = "/latest/meta-data/hostname"
POSTED = "/openstack/latest/password"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM1B5kTXQ1m2fN0E0c2cVQm4hS0m3v9b8nV2u0w3k5Jd"
END = b'{"name": "modules-final", "event_type": "finish", "result": "SUCCESS"}'


def test_each_guest_gets_its_own_record(service: Running) -> None:
    assert service.ask(world.ADDRESS_A, HOSTNAME).body == b"web-1.demo.internal"
    assert service.ask(world.ADDRESS_B, HOSTNAME).body == b"db.demo.internal"
    assert service.ask(world.STRANGER, HOSTNAME).status == 404
    assert service.ask(world.STRANGER, "/").status == 200


def test_what_is_on_the_wire_is_novas(service: Running) -> None:
    answer = service.ask(world.ADDRESS_A, "/openstack/latest/user_data")
    assert answer.headers == {"Content-Type": "text/plain; charset=UTF-8", "Content-Length": str(len(world.USER_DATA))}
    assert answer.body == world.USER_DATA
    answer = service.ask(world.ADDRESS_A, "/openstack/latest/meta_data.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.body)["uuid"] == world.UUID_A


def test_a_whole_crawl_on_one_connection(service: Running) -> None:
    with service.guest(world.ADDRESS_A) as guest:
        for name in guest.ask("/openstack/latest").body.decode().split("\n"):
            assert guest.ask(f"/openstack/latest/{name}").status == 200


def test_a_new_document_is_answered_from_when_apply_returns(service: Running) -> None:
    with service.guest(world.ADDRESS_A) as guest:
        assert guest.ask(HOSTNAME).body == b"web-1.demo.internal"
        service.part.apply(world.document(world.instance("new-name", world.UUID_A, world.ADDRESS_A)))
        assert guest.ask(HOSTNAME).body == b"new-name.demo.internal"
    assert service.ask(world.ADDRESS_B, HOSTNAME).status == 404


def test_a_pending_guest_is_told_to_come_back(service: Running) -> None:
    service.part.apply(world.document(world.full()))
    answer = service.ask(world.ADDRESS_A, "/openstack")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert service.ask(world.ADDRESS_A, "/latest/api/token", "PUT").status == 404


def test_a_document_that_is_refused_leaves_everything_as_it_was(service: Running) -> None:
    twice = world.document(world.full(), world.instance("thief", world.UUID_B, world.ADDRESS_A))
    with pytest.raises(HostError):
        service.part.apply(twice)
    assert service.ask(world.ADDRESS_A, HOSTNAME).body == b"web-1.demo.internal"
    assert service.part.drift(world.two()) == ()


def test_many_records_are_there_at_once(service: Running) -> None:
    data = b"x" * 49_149
    many = [
        world.instance(f"i-{n}", f"{n:08x}-1111-4222-8333-444444444444", f"127.1.{n // 250}.{n % 250 + 1}")
        for n in range(300)
    ]
    many = [replace(each, user_data=world.digest(data)) for each in many]
    service.part.apply(world.document(*many, user_data=(data,)))
    for n in (0, 150, 299):
        assert service.ask(f"127.1.{n // 250}.{n % 250 + 1}", "/latest/user-data").body == data


def test_reports_become_a_boot(service: Running) -> None:
    failed = b'{"name": "modules-final/config-scripts-user", "event_type": "finish", "result": "FAIL"}'
    assert service.ask(world.ADDRESS_A, "/cloudsync/report", "POST", failed).status == 200
    boot = service.boot()
    assert (boot.uuid, boot.failures, boot.finished) == (world.UUID_A, ("scripts-user",), False)
    form = f"instance_id={world.UUID_A}&pub_key_ed25519={world.ED25519.replace('+', '%2B')}".encode()
    assert service.ask(world.ADDRESS_A, "/cloudsync/phone-home", "POST", form).status == 200
    assert service.boot().host_keys == (world.ED25519,)
    assert service.ask(world.ADDRESS_A, "/cloudsync/report", "POST", END).status == 200
    last = service.boot()
    assert last.finished
    assert last.host_keys == (world.ED25519,)
    assert last.at.endswith("+00:00")


def test_a_machine_that_is_started_again_boots_anew(service: Running) -> None:
    assert service.ask(world.ADDRESS_A, "/cloudsync/report", "POST", END).status == 200
    assert service.boot().finished
    service.part.power_on(world.UUID_A)
    started = service.boot()
    assert (started.uuid, started.stage, started.finished) == (world.UUID_A, "", False)
    assert service.ask(world.ADDRESS_A, "/cloudsync/report", "POST", END).status == 200
    assert service.boot().finished


def test_host_keys_cannot_be_replaced_from_within_the_guest(service: Running) -> None:
    def phone_home(key: str) -> Boot:
        form = f"instance_id={world.UUID_A}&pub_key_x={key.replace('+', '%2B')}".encode()
        assert service.ask(world.ADDRESS_A, "/cloudsync/phone-home", "POST", form).status == 200
        return service.boot()

    assert phone_home(world.ED25519).host_keys == (world.ED25519,)
    boot = phone_home(OTHER_KEY)
    assert (boot.host_keys, boot.other_keys) == ((world.ED25519,), (OTHER_KEY,))


def test_a_restarted_agent_goes_on_with_what_was_known(tmp_path: Path) -> None:
    known = Boot(uuid=world.UUID_A, stage="modules-final", finished=True, host_keys=(world.ED25519,))
    (tmp_path / "boots.json").write_bytes(wire.dump({world.UUID_A: known}))
    with Running(tmp_path) as running:
        running.part.apply(world.two())
        begin = b'{"name": "init-network", "event_type": "start"}'
        assert running.ask(world.ADDRESS_A, "/cloudsync/report", "POST", begin).status == 200
        boot = running.boot()
    assert (boot.host_keys, boot.finished) == ((world.ED25519,), False)


def test_a_password_outlives_the_process_and_the_agent(tmp_path: Path) -> None:
    with Running(tmp_path) as running:
        running.part.apply(world.two())
        assert running.ask(world.ADDRESS_A, POSTED, "POST", b"sealed").status == 200
        # The agent has it when it has what was reported after it.
        running.ask(world.ADDRESS_A, "/cloudsync/report", "POST", END)
        running.boot()
        killed(running.pid)
        assert running.ask(world.ADDRESS_A, POSTED).body == b"sealed"
        running.part.apply(world.two())
        assert running.part.drift(world.two()) == ()
    assert stat.S_IMODE((tmp_path / "passwords.json").stat().st_mode) == 0o600
    with Running(tmp_path) as running:
        running.part.apply(world.two())
        assert running.ask(world.ADDRESS_A, POSTED).body == b"sealed"
        assert running.ask(world.ADDRESS_A, POSTED, "POST", b"x").status == 409
        running.part.apply(world.document(world.bare(), generation=2))
        running.part.apply(world.two())
        assert running.ask(world.ADDRESS_A, POSTED).body == b""


def test_a_document_that_could_not_be_read_forgets_nothing(tmp_path: Path) -> None:
    with Running(tmp_path) as running:
        running.part.apply(world.two())
        running.ask(world.ADDRESS_A, POSTED, "POST", b"sealed")
        running.ask(world.ADDRESS_A, "/cloudsync/report", "POST", END)
        running.boot()
        running.part.apply(world.document(generation=0))
        assert running.ask(world.ADDRESS_A, POSTED).status == 404
        running.part.apply(world.two())
        assert running.ask(world.ADDRESS_A, POSTED).body == b"sealed"


def test_a_process_that_dies_is_replaced_and_its_guests_wait(service: Running) -> None:
    dead = service.pid
    killed(dead)
    answer = service.ask(world.ADDRESS_A, HOSTNAME)
    assert answer.body == b"web-1.demo.internal"
    service.part.apply(world.two())
    assert service.pid != dead
    assert service.part.drift(world.two()) == ()


def test_apply_gets_over_a_process_that_died_just_before(service: Running) -> None:
    killed(service.pid)
    service.part.apply(world.document(world.instance("new", world.UUID_A, world.ADDRESS_A)))
    assert service.ask(world.ADDRESS_A, HOSTNAME).body == b"new.demo.internal"


def test_other_records_and_a_part_that_was_never_applied_are_drift(service: Running, tmp_path: Path) -> None:
    (drift,) = service.part.drift(world.document(world.bare()))
    assert drift.address == "host.kvm-1"
    assert "other records" in drift.message
    with Running(tmp_path) as never:
        (drift,) = never.part.drift(world.two())
    assert drift.message == "the metadata service does not run"


def test_a_process_that_hangs_is_drift_and_is_replaced(service: Running) -> None:
    pid = service.pid
    os.kill(pid, signal.SIGSTOP)
    (drift,) = service.part.drift(world.two())
    assert drift.message == "the metadata service did not answer in time"
    service.part.apply(world.two())
    assert service.pid != pid
    assert service.ask(world.ADDRESS_A, HOSTNAME).status == 200


def test_a_port_that_is_taken_names_its_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = squatter.getsockname()[1]
        with Running(tmp_path, port=port) as running, pytest.raises(HostError) as failure:
            running.part.apply(world.two())
    assert f"port {port} of the metadata service is taken by" in failure.value.message
    assert f"(process {os.getpid()})" in failure.value.message
    assert "--metadata-port" in failure.value.hint
    assert holder(port) == ""


def test_a_process_that_cannot_start_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("in the way")
    with Running(tmp_path) as running, pytest.raises(HostError, match="cannot be made"):
        running.part.apply(world.two())


def test_nothing_secret_is_in_the_process_list(service: Running) -> None:
    for name in ("cmdline", "environ"):
        text = Path(f"/proc/{service.pid}/{name}").read_bytes()
        assert b"of-a" not in text
        assert world.UUID_A.encode() not in text
