"""The law that matters most: a guest never gets another's record, whatever it sends, nor makes the service fail."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import tries
from tests.metadata import world
from tests.metadata.fakes import Service

# What is in A's answers and in nobody else's; and the other way round.
MARKS_A = (b"web-1", world.UUID_A.encode(), b"i-0b1c2d3e", b"of-a", b"zone-a", world.ED25519.encode(), b"127.0.0.2")
MARKS_B = (b"db.demo", world.UUID_B.encode(), b"i-7a7a7a7a", b"127.0.0.3")

words = st.sampled_from(
    [
        *("latest", "openstack", "ec2", "meta-data", "user-data", "2009-04-04", "2018-08-27", "1.0", "version"),
        *("meta_data.json", "user_data", "network_data.json", "password", "content", "0000", "cloudsync", "report"),
        *("phone-home", "public-keys", "0", "0=me", "openssh-key", "hostname", "local-ipv4", "api", "token"),
        *(
            "..",
            ".",
            "",
            "%2e%2e",
            "%2f",
            "%00",
            "%ff",
            "\\",
            "*",
            world.UUID_B,
            world.ADDRESS_B,
            world.UUID_A,
            "web-1",
        ),
    ]
)
paths = st.one_of(
    st.lists(words, max_size=8).map(lambda parts: "/" + "/".join(parts)),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
    st.sampled_from([f"http://{world.ADDRESS_B}/latest/meta-data/hostname", "*", "//", f"/?id={world.UUID_B}"]),
)
methods = st.sampled_from(
    ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE", "get", "M-SEARCH"]
)
headers = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *(
                    "Host",
                    "X-Forwarded-For",
                    "X-Instance-ID",
                    "X-Metadata-Provider",
                    "Forwarded",
                    "Accept",
                    "Connection",
                ),
                *("Content-Length", "Transfer-Encoding", "Upgrade", "Expect", "X-HTTP-Method-Override", "Cookie"),
            ]
        ),
        st.one_of(
            st.sampled_from([world.ADDRESS_A, world.ADDRESS_B, world.UUID_A, world.UUID_B, "0", "5", "-1", "chunked"]),
            st.sampled_from(["close", "keep-alive", "Upgrade", "100-continue", "*/*", "application/json", "h2c"]),
            st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
        ),
    ),
    max_size=5,
)
bodies = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"",
            b'{"name": "modules-final", "event_type": "finish", "result": "SUCCESS"}',
            f"instance_id={world.UUID_B}&pub_key_rsa=x".encode(),
            b"5\r\nhello\r\n0\r\n\r\n",
        ]
    ),
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    lines = [f"{draw(methods)} {draw(paths)} HTTP/{draw(st.sampled_from(['1.1', '1.0', '2.0']))}"]
    lines += [f"{name}: {value}" for name, value in draw(headers)]
    body = draw(bodies)
    if draw(st.booleans()):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


streams = st.lists(st.one_of(requests(), st.binary(max_size=200)), max_size=4).map(b"".join)


def answers(stream: bytes, source: str, cut: int) -> bytes:
    """What `source` gets for `stream`, sent in pieces of `cut` bytes."""
    connection, transport = Service().connect(source)
    for start in range(0, len(stream), cut):
        connection.data_received(stream[start : start + cut])
    return transport.written


@settings(max_examples=tries(600), deadline=None)
@given(stream=streams, cut=st.integers(1, 400))
def test_a_guest_never_gets_anothers_record_nor_breaks_the_service(stream: bytes, cut: int) -> None:
    for source, foreign in (
        (world.ADDRESS_A, MARKS_B),
        (world.ADDRESS_B, MARKS_A),
        (world.STRANGER, MARKS_A + MARKS_B),
    ):
        written = answers(stream, source, cut)
        assert not [mark for mark in foreign if mark in written]
        assert not re.search(rb"HTTP/1\.1 5(?!03)\d\d", written)
        assert written == b"" or written.startswith(b"HTTP/1.1 ")


def test_the_marks_are_really_there() -> None:
    """Or the law above would hold of anything."""
    everything = (
        b"".join(
            f"GET {path} HTTP/1.1\r\n\r\n".encode()
            for path in ("/openstack/latest/meta_data.json", "/latest/user-data", "/latest/meta-data/instance-id")
        )
        + b"GET /latest/meta-data/local-ipv4 HTTP/1.1\r\n\r\n"
    )
    assert all(mark in answers(everything, world.ADDRESS_A, 999) for mark in MARKS_A)
    assert all(mark in answers(everything, world.ADDRESS_B, 999) for mark in MARKS_B)
