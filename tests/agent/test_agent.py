"""The real agent process on its socket, driven by the real client: documents and refusals."""

import json
import signal
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloudsync import __version__
from cloudsync.agent.openapi import text
from cloudsync.hosts.unix_http import UnixConnection
from cloudsync.model.problem import HostError, StaleError
from tests.agent.documents import DIGEST, UUID, document, instance
from tests.agent.lab import REPOSITORY, Lab
from tests.effort import PATIENCE


def raw(lab: Lab, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, str]:
    connection = UnixConnection(lab.socket, PATIENCE)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_fresh_host_has_nothing_and_the_folders_have_their_modes(agent: Lab) -> None:
    state = agent.client.host()
    assert state.version == __version__
    assert state.document is None
    assert (state.drift, state.boots, state.images, state.disks) == ((), {}, {}, {})
    assert stat.S_IMODE(agent.socket.stat().st_mode) == 0o660
    assert stat.S_IMODE((agent.root / "state").stat().st_mode) == 0o700
    assert stat.S_IMODE(agent.pool.stat().st_mode) == 0o711


def test_a_document_comes_back_without_its_secrets(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)
    found = agent.client.host().document
    assert found == document(1, user_data={})
    status, body = raw(agent, "GET", "/v1/host")
    assert status == 200
    assert document().user_data[DIGEST] not in body
    assert document().user_data[DIGEST] not in agent.log


def test_a_document_outlives_the_agents_death(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)
    agent.end(signal.SIGKILL)
    agent.start()
    assert agent.client.host().document == document(1, user_data={})
    assert agent.first.applied() == [1, 1]


def test_an_agent_that_dies_in_the_middle_starts_with_the_old_document(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)
    agent.hold("second")
    with ThreadPoolExecutor(1) as pool:
        put = pool.submit(agent.client.put_document, document(2), 1)
        agent.entered("second")
        agent.end(signal.SIGKILL)
        with pytest.raises(HostError, match="broke the connection off"):
            put.result(PATIENCE)
    for name in ("entered", "release"):
        (agent.parts / f"second.{name}").unlink()
    agent.start()
    assert agent.client.host().document == document(1, user_data={})
    assert agent.first.applied() == [1, 2, 1]
    agent.client.put_document(document(2), 1)


def test_an_agent_that_is_told_to_stop_finishes_the_change_under_way(agent: Lab) -> None:
    agent.hold("second")
    with ThreadPoolExecutor(2) as pool:
        put = pool.submit(agent.client.put_document, document(1), 0)
        agent.entered("second")
        ended = pool.submit(agent.end)
        agent.let_go("second")
        assert len(put.result(PATIENCE)) == 32
        assert ended.result(PATIENCE) == 0
    assert agent.second.calls()[-1] == ("close", None, [])
    assert not agent.socket.exists()


def test_an_older_document_is_stale(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)
    with pytest.raises(StaleError, match="kvm-1: the document to be replaced is generation 0, but this host is at 1"):
        agent.client.put_document(document(1), 0)


def test_of_many_writers_exactly_one_wins(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)

    def write(number: int) -> int | None:
        mine = document(2, instances={f"web-{number}": instance(f"web-{number}")}, directory={})
        try:
            agent.client.put_document(mine, 1)
        except StaleError:
            return None
        return number

    with ThreadPoolExecutor(12) as pool:
        winners = [number for number in pool.map(write, range(24)) if number is not None]
    assert len(winners) == 1
    stored = agent.client.host().document
    assert stored is not None
    assert list(stored.instances) == [f"web-{winners[0]}"]
    assert agent.first.applied() == [1, 2]


def test_a_part_that_fails_is_told_with_its_hint(agent: Lab) -> None:
    agent.second.fail_once("no room for the rules")
    with pytest.raises(HostError, match=r"kvm-1: second: no room for the rules$") as caught:
        agent.client.put_document(document(1), 0)
    assert caught.value.hint == "mend it"
    assert agent.client.host().document is None


def test_another_clouds_host_is_refused(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)
    with pytest.raises(HostError, match="belongs to cloud 'demo'") as caught:
        agent.client.put_document(document(2, cloud="other"), 1)
    assert "cloudsync destroy" in caught.value.hint


def test_drift_is_told(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)
    agent.first.drifts("rule is missing")
    assert [drift.message for drift in agent.client.host().drift] == ["rule is missing"]


def test_a_document_that_makes_no_sense_is_refused_by_name(agent: Lab) -> None:
    with pytest.raises(HostError, match="for host 'kvm-2'"):
        agent.client.put_document(document(1, instances={"web": instance(host="kvm-2")}), 0)
    with pytest.raises(HostError, match="generation 3 does not follow 1"):
        agent.client.put_document(document(3), 1)
    assert agent.first.calls() == []


SECRET = "aGVsbG8tc2VjcmV0"  # noqa: S105


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{" + SECRET.encode(),
        f'{{"cloud": "{SECRET}"}}'.encode(),
        f'{{"cloud": "a", "host": "b", "user_data": ["{SECRET}"]}}'.encode(),
        f'{{"cloud": "a", "host": "b", "generation": "{SECRET}"}}'.encode(),
        f'{{"cloud": "a", "host": "b", "keypairs": {{"x": "{SECRET}"}}}}'.encode(),
        f'{{"cloud": "a", "host": "b", "generation": 1, "user_data": {{"{"ab" * 32}": "{SECRET}"}}}}'.encode(),
        b'{"cloud": "a", "host": "b", "generation": 1, "later": true}',
        b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_document_is_refused_without_quoting_it(shared: Lab, body: bytes) -> None:
    status, answer = raw(shared, "PUT", "/v1/document", body, {"if-match": '"0"'})
    assert status == 422, answer
    assert sorted(json.loads(answer)) == ["hint", "message"]
    assert SECRET not in answer + shared.log


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/lock", f'{{"who": ["{SECRET}"]}}'),
        ("/v1/lock", f'{{"who": "{SECRET}\\n"}}'),
        ("/v1/lock", f'{{"who": "{SECRET}"'),
        ("/v1/images", f'{{"name": "x", "sha256": "{SECRET}", "source": {{"x": "{SECRET}"}}}}'),
    ],
)
def test_no_refusal_quotes_what_was_sent(shared: Lab, path: str, body: str) -> None:
    status, answer = raw(shared, "POST", path, body.encode(), {"content-type": "application/json"})
    assert status == 422, answer
    assert SECRET not in answer + shared.log


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/nothing", b"", {}, 404),
        ("POST", "/v1/host", b"", {}, 405),
        ("PUT", "/v1/document", b"{}", {}, 428),
        ("PUT", "/v1/document", b"{}", {"if-match": "*"}, 422),
        ("PUT", "/v1/document", b"{}", {"if-match": '"-1"'}, 422),
        ("POST", "/v1/lock", b'{"who": ""}', {}, 422),
        ("POST", "/v1/lock", b'{"who": "a\\u001b[2J"}', {}, 422),
        ("POST", "/v1/lock", b"{", {}, 422),
        ("POST", "/v1/images", b'{"name": "x", "sha256": "../x"}', {}, 422),
        ("POST", "/v1/images", b'{"name": "x", "sha256": "", "format": "vmdk"}', {}, 422),
        ("DELETE", "/v1/images/..%2f..%2fetc", b"", {}, 404),
        ("DELETE", "/v1/images/abc", b"", {}, 422),
        ("GET", "/v1/boots", b"", {}, 422),
        ("GET", "/v1/instances/..%2f..%2fx/console", b"", {}, 404),
        ("GET", f"/v1/instances/{UUID}%0a/console", b"", {}, 422),
        ("GET", f"/v1/instances/{UUID}/console", b"", {}, 404),
    ],
)
def test_every_refusal_has_a_message_and_a_hint(
    shared: Lab, method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    found, answer = raw(shared, method, path, body, {"content-type": "application/json"} | headers)
    assert found == status, answer
    assert sorted(json.loads(answer)) == ["hint", "message"]
    assert shared.client.holder() is None


def test_a_body_that_is_too_big_is_refused(agent: Lab) -> None:
    connection = UnixConnection(agent.socket, PATIENCE)
    connection.putrequest("PUT", "/v1/document")
    connection.putheader("content-length", str((64 << 20) + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert "64 MiB" in json.loads(answer.read())["message"]
    connection.close()


def test_a_body_that_does_not_say_how_big_it_is_is_refused_in_time(agent: Lab) -> None:
    connection = UnixConnection(agent.socket, PATIENCE)
    connection.putrequest("PUT", "/v1/document")
    connection.putheader("transfer-encoding", "chunked")
    connection.putheader("if-match", '"0"')
    connection.endheaders()
    for _ in range(64):
        connection.send(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
    connection.send(b"1\r\nx\r\n0\r\n\r\n")
    assert connection.getresponse().status == 413
    connection.close()
    assert agent.client.host().document is None


def test_the_checked_in_description_is_not_stale() -> None:
    stored = (REPOSITORY / "schemas" / "agent.openapi.json").read_text()
    assert stored == text(), "python -m cloudsync.agent.openapi > schemas/agent.openapi.json"


def test_the_description_is_served(agent: Lab) -> None:
    status, body = raw(agent, "GET", "/openapi.json")
    assert status == 200
    assert json.loads(body) == json.loads(text())
