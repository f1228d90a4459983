"""Whatever a guest writes to its console, a terminal does nothing with it but change colours."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudsync.render.console import for_terminal

PIECES = (
    *(b"\x1b", b"[", b"]", b"2J", b"\x00", b"\x07", b"\x1b\\", b"\x9b", b"\xc2\x9b", b"\xc2", b"31m", b"m", b";"),
    *(b">c", b"!p", b"2 q", b"?25l", b"P", b"\r", b"\n", b"\t", b"x", "\u202e".encode(), "é".encode(), b"\xff"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join) | st.binary())
@example(b"\x1b[\x002J")
@example(b"\x1b[>c\x1b[!p\x1b[2 q\xc2\x9b2J\x1b")
@example(b"\x1b\x1b[\x1b[31m2J")
def test_only_colours_reach_the_terminal(log: bytes) -> None:
    shown = re.sub(r"\x1b\[[0-9;:]*m", "", for_terminal(log))
    assert all(char in "\n\t" or char.isprintable() or (char.isspace() and ord(char) > 0x9F) for char in shown)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", shown)


@given(st.text(st.characters(categories=("L", "N", "P", "S", "M"), include_characters="\n\t ")))
def test_plain_text_stays(text: str) -> None:
    assert for_terminal(text.encode()) == text


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        (b"\x1b[1;32mok\x1b[0m\r\n", "\x1b[1;32mok\x1b[0m\n\x1b[0m"),
        (b"\x1b[2Ja\x1b[?25lb\x1b[3;1Hc", "abc"),
        (b"\x1b]0;title\x07a\x1b]8;;x\x1b\\b\x1bPq#\x1b\\c", "abc"),
        (b"real\rfake", "real\nfake"),
        (b"\x1b(B\x1bca\x1b7", "a"),
        (b"a\x1b]0;never closed\nb", "a\nb"),
        (b"caf\xc3\xa9 \xff", "caf\xe9 \ufffd"),
    ],
)
def test_what_is_kept(log: bytes, shown: str) -> None:
    assert for_terminal(log) == shown
