"""Sizes: every exact spelling gives the same bytes, and nothing else is a size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsync.spec.units import LARGEST, UNITS, SizeError, parse, show


@given(st.integers(1, 1 << 12), st.sampled_from(sorted(UNITS)))
def test_a_number_and_a_unit(number: int, unit: str) -> None:
    assert parse(f"{number}{unit}") == parse(f"{number} {unit}") == parse(f"{number}.0{unit}") == number * UNITS[unit]


@given(st.integers(1, LARGEST >> 10))
def test_show_is_exact(kibibytes: int) -> None:
    size = kibibytes << 10
    if size < 10**15:
        assert parse(show(size)) == size


@given(st.text(max_size=20))
def test_anything_else_is_refused_with_words(text: str) -> None:
    try:
        size = parse(text)
    except SizeError as error:
        assert str(error)
    else:
        assert 0 <= size <= LARGEST


@pytest.mark.parametrize(("text", "size"), [("512MiB", 512 << 20), ("1.5GiB", 3 << 29), ("0KiB", 0), ("1TiB", 1 << 40)])
def test_examples(text: str, size: int) -> None:
    assert parse(text) == size


@pytest.mark.parametrize(
    "text", ["", "1", "1MB", "1M", "1mib", "MiB", "-1MiB", "1e3MiB", "0x1MiB", "1 MiB ", "１MiB", "nanMiB"]
)
def test_no_size(text: str) -> None:
    with pytest.raises(SizeError):
        parse(text)
