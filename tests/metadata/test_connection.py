"""HTTP as the service speaks it, and where it stops listening: sizes, time, rates, numbers."""

import json

import pytest

from cloudsync.agent.metadata.limits import Limits
from tests.metadata import world
from tests.metadata.fakes import Service

GET = b"GET /latest/meta-data/local-ipv4 HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: 9\r\n"
ANSWER = OK + b"\r\n127.0.0.2"


def test_a_connection_is_kept_for_the_next_request() -> None:
    connection, transport = Service().connect()
    connection.data_received(GET)
    connection.data_received(GET)
    assert transport.written == ANSWER * 2
    assert not transport.closed


def test_a_request_may_come_in_any_pieces() -> None:
    connection, transport = Service().connect()
    for byte in GET * 2:
        connection.data_received(bytes([byte]))
    assert transport.written == ANSWER * 2


def test_requests_may_come_at_once() -> None:
    connection, transport = Service().connect()
    connection.data_received(GET * 16)
    assert transport.written == ANSWER * 16


def test_more_at_once_than_any_client_sends_is_cut_off() -> None:
    connection, transport = Service().connect()
    connection.data_received(GET * 17)
    assert transport.aborted


def test_head_has_no_body() -> None:
    connection, transport = Service().connect()
    connection.data_received(GET.replace(b"GET", b"HEAD", 1))
    assert transport.written == OK + b"\r\n"


def test_close_and_http_1_0() -> None:
    for request, more, closed in (
        (GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), b"Connection: close\r\n", True),
        (GET.replace(b"1.1", b"1.0"), b"Connection: close\r\n", True),
        (
            GET.replace(b"1.1\r\n", b"1.0\r\nConnection: keep-alive\r\n"),
            b"Connection: keep-alive\r\n",
            False,
        ),
    ):
        connection, transport = Service().connect()
        connection.data_received(request)
        assert transport.written == OK + more + b"\r\n127.0.0.2"
        assert (transport.closed, transport.aborted) == (closed, False)


def test_what_follows_the_last_request_does_not_cost_its_answer() -> None:
    connection, transport = Service().connect()
    connection.data_received(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + GET)
    assert transport.written == OK + b"Connection: close\r\n\r\n127.0.0.2"
    assert (transport.closed, transport.aborted) == (True, False)


def test_a_client_that_offers_another_protocol_gets_this_one() -> None:
    connection, transport = Service().connect()
    connection.data_received(GET.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nPRI * HTTP/2"))
    assert transport.written == OK + b"Connection: close\r\n\r\n127.0.0.2"
    assert transport.closed


def test_a_client_that_waits_to_be_asked_for_the_body_is_asked() -> None:
    connection, transport = Service().connect()
    connection.data_received(
        b"POST /openstack/latest/password HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    )
    assert transport.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.data_received(b"abc")
    assert b"HTTP/1.1 200 OK" in transport.written


def test_headers_that_claim_to_be_somebody_else_change_nothing() -> None:
    lies = "".join(
        f"{name}: {value}\r\n"
        for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Instance-ID", "X-Tenant-ID", "Host", "Via")
        for value in (world.ADDRESS_B, world.UUID_B)
    ).encode()
    connection, transport = Service().connect()
    connection.data_received(GET.replace(b"\r\n\r\n", b"\r\n" + lies + b"\r\n"))
    assert transport.written == ANSWER


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 17_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5_000 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 40_000, 431),
        (b"POST /cloudsync/report HTTP/1.1\r\nContent-Length: 65537\r\n\r\n" + b"x" * 65_537, 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n" + b"x" * 65_537, 413),
        (b"PUT /latest/api/token HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 65_537, 413),
    ],
)
def test_what_is_too_big_or_no_http_is_refused(request_: bytes, status: int) -> None:
    connection, transport = Service().connect()
    connection.data_received(request_)
    assert transport.written.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"\r\nConnection: close\r\n" in transport.written
    assert transport.closed


def test_a_body_of_one_byte_chunks_has_an_end_too() -> None:
    connection, transport = Service().connect()
    connection.data_received(b"POST /cloudsync/report HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(30):
        connection.data_received(b"1\r\nx\r\n" * 1_000)
    assert transport.closed


def test_a_slow_request_ends_in_time_however_it_dribbles() -> None:
    service = Service(Limits(request_seconds=10))
    connection, transport = service.connect()
    for byte in b"GET / HTTP/1":
        connection.data_received(bytes([byte]))
        service.loop.pass_time(1)
        service.visitors.sweep(service.loop.now)
    assert transport.written.startswith(b"HTTP/1.1 408 ")
    assert transport.aborted


def test_silence_ends_without_a_word() -> None:
    service = Service(Limits(idle_seconds=30))
    connection, transport = service.connect()
    connection.data_received(GET)
    service.loop.pass_time(29)
    service.visitors.sweep(service.loop.now)
    assert not transport.closed
    service.loop.pass_time(1)
    service.visitors.sweep(service.loop.now)
    assert transport.aborted
    assert transport.written == ANSWER


def test_who_does_not_read_gets_no_more() -> None:
    connection, transport = Service().connect()
    transport.unsent = 300_000
    connection.data_received(GET)
    assert transport.written == b""
    assert transport.aborted


def test_a_source_has_so_many_connections_and_no_more() -> None:
    service = Service(Limits(connections=2))
    connections = [service.connect() for _ in range(3)]
    assert [transport.aborted for _, transport in connections] == [False, False, True]
    assert not service.connect(world.ADDRESS_B)[1].aborted
    connections[0][0].connection_lost(None)
    assert not service.connect()[1].aborted


def test_who_asks_too_much_waits_and_nobody_else_does() -> None:
    service = Service(Limits(rate=10, burst=5))
    connection, transport = service.connect()
    for _ in range(6):
        connection.data_received(GET)
    assert transport.written == ANSWER * 4
    assert transport.paused
    other, answered = service.connect(world.ADDRESS_B)
    other.data_received(GET)
    assert answered.written.endswith(b"127.0.0.3")
    service.loop.pass_time(0.1)
    assert transport.written == ANSWER * 6
    assert not transport.paused


def test_a_source_that_owes_something_is_not_forgotten() -> None:
    service = Service(Limits(rate=10, burst=5))
    for _ in range(5):
        service.connect()[0].connection_lost(None)
    service.visitors.sweep(service.loop.now)
    connection, transport = service.connect()
    connection.data_received(GET)
    assert transport.paused


def test_json_errors_for_who_wants_them() -> None:
    connection, transport = Service().connect()
    connection.data_received(b"GET /x HTTP/1.1\r\nAccept: application/json\r\n\r\n")
    body = transport.written.partition(b"\r\n\r\n")[2]
    assert json.loads(body)["code"] == "404 Not Found"
