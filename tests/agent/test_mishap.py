"""What the agent's log says of an error: our own words, and of others' none."""

from collections.abc import Callable

import pytest

from cloudsync.agent.mishap import mishap
from cloudsync.model.problem import CloudsyncError, HostError, StaleError


def caught(act: Callable[[], object]) -> Exception:
    try:
        act()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def raising(error: Exception) -> Callable[[], object]:
    def act() -> None:
        raise error from KeyError("password")

    return act


@pytest.mark.parametrize("kind", [CloudsyncError, HostError, StaleError])
def test_an_error_for_people_is_told_in_its_words(kind: type[CloudsyncError]) -> None:
    assert mishap(caught(raising(kind("nft is missing", "install it")))) == "nft is missing (install it)"
    assert mishap(caught(raising(kind("nft is missing")))) == "nft is missing"


@pytest.mark.parametrize("act", [lambda: int("password"), raising(OSError("password")), raising(KeyError("password"))])
def test_any_other_is_told_by_its_kind_and_place_alone(act: Callable[[], object]) -> None:
    error = caught(act)
    text = mishap(error)
    assert text.startswith(f"{type(error).__name__} at {__file__}:")
    assert "password" not in text


def test_one_that_was_never_raised_has_no_place() -> None:
    assert mishap(ValueError("password")) == "ValueError at an unknown place"
