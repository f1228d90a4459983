"""Public keys: fingerprints as ssh-keygen prints them, and no word of what was pasted in what is said about it."""

import struct
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsync.spec.publickey import TYPES, PublicKeyError, parse
from tests.spec.spec_text import KEY


def blob(*fields: bytes) -> str:
    return b64encode(b"".join(struct.pack(">I", len(field)) + field for field in fields)).decode()


GOOD = {
    "ssh-ed25519": blob(b"ssh-ed25519", b"k" * 32),
    "ssh-rsa": blob(b"ssh-rsa", b"\x01\x00\x01", b"\x00" + b"\xc0" * 256),
    "ecdsa-sha2-nistp256": blob(b"ecdsa-sha2-nistp256", b"nistp256", b"\x04" * 65),
    "ecdsa-sha2-nistp384": blob(b"ecdsa-sha2-nistp384", b"nistp384", b"\x04" * 97),
    "ecdsa-sha2-nistp521": blob(b"ecdsa-sha2-nistp521", b"nistp521", b"\x04" * 133),
    "sk-ssh-ed25519@openssh.com": blob(b"sk-ssh-ed25519@openssh.com", b"k" * 32, b"ssh:"),
    "sk-ecdsa-sha2-nistp256@openssh.com": blob(
        b"sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", b"\x04" * 65, b"ssh:"
    ),
}


def test_fingerprints() -> None:
    """Taken from ssh-keygen -lf, with and without -E md5."""
    key = parse(KEY)
    assert (key.type, key.comment, len(key.blob)) == ("ssh-ed25519", "alice@laptop", 51)
    assert key.sha256 == "SHA256:dIpMWLZqGCBYXT7YS4clnWMm16BBgyEuvmRPocu4Ik8"
    assert key.md5 == "d6:85:c6:39:f0:1a:8f:5c:24:7c:81:e1:c0:5f:65:88"
    assert key.line == KEY


@pytest.mark.parametrize("kind", TYPES)
def test_every_type(kind: str) -> None:
    assert parse(f"  {kind}  {GOOD[kind]}   two words \n").line == f"{kind} {GOOD[kind]} two words"
    assert parse(f"{kind} {GOOD[kind]}").line == f"{kind} {GOOD[kind]}"


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("other", TYPES)
def test_type_and_content_must_agree(kind: str, other: str) -> None:
    if kind != other:
        with pytest.raises(PublicKeyError, match="the key inside is"):
            parse(f"{kind} {GOOD[other]}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("ssh-ed25519", "itself is missing"),
        ("ssh-dss AAAA", "DSA"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "certificate"),
        (f'from="10.0.0.1" {KEY}', "options"),
        (f"{KEY}\n{KEY}", "more than one line"),
        (KEY.split()[1], "type is missing"),
        (KEY[:60], "cut off"),
        (KEY[:61], "base64"),
        ("---- BEGIN SSH2 PUBLIC KEY ----", "OpenSSH's format"),
        ("-----BEGIN PUBLIC KEY-----\nMIIB", "OpenSSH's format"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE", "private key"),
        ("-----BEGIN RSA PRIVATE KEY-----", "private key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519", "private key"),
        ("b3BlbnNzaC1rZXktdjEAAAA", "private key"),
        ("x" * 20000, "too long"),
        ("password", "not an OpenSSH public key"),
        (f"ssh-rsa {blob(b'ssh-rsa', b'x', b'y' * 128)}", "1023 bits is too weak"),
        (f"ssh-rsa {blob(b'ssh-rsa', b'x')}", "cut off"),
        (f"ssh-ed25519 {blob(b'ssh-ed25519', b'k' * 31)}", "cut off"),
        (f"ssh-ed25519 {blob(b'ssh-ed25519', b'k' * 32, b'more')}", "cut off"),
        (f"ecdsa-sha2-nistp256 {blob(b'ecdsa-sha2-nistp256', b'nistp384', b'k' * 97)}", "cut off"),
        (f"{KEY} \x1b[31m", "control characters"),
    ],
)
def test_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse(text)
    assert not (text and len(text) > 16 and text in str(caught.value))


@given(st.text(min_size=12, max_size=300))
def test_nothing_pasted_is_echoed(text: str) -> None:
    for prefix in ("", "ssh-ed25519 ", "-----BEGIN OPENSSH PRIVATE KEY-----\n"):
        try:
            parse(prefix + text)
        except PublicKeyError as error:
            assert text not in str(error) + error.hint
