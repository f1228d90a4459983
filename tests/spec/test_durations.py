"""Durations: every exact spelling gives the same seconds, and nothing else is a duration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsync.spec.durations import LONGEST, UNITS, DurationError, parse, show


@given(st.integers(1, LONGEST))
def test_show_is_exact(seconds: int) -> None:
    shown = show(seconds)
    if seconds < 10**5 or not shown.endswith("s"):
        assert parse(shown) == seconds


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("24h", 86400)])
def test_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse(text) == seconds


@given(st.text(max_size=8))
def test_anything_else_is_refused_with_words(text: str) -> None:
    try:
        seconds = parse(text)
    except DurationError as error:
        assert str(error)
        assert error.hint
    else:
        assert 0 < seconds <= LONGEST
        assert text[-1] in UNITS


@pytest.mark.parametrize("value", [600, "0s", "1.5h", "25h", "10 m", "m"])
def test_what_only_looks_like_one_is_refused(value: str | int) -> None:
    with pytest.raises(DurationError):
        parse(value)
