"""A host's state is changed in place, whichever way its entry is written, and nothing else moves."""

from pathlib import Path

import pytest

from cloudsync.model.problem import CloudsyncError
from cloudsync.spec.restate import restate

FLOW = "version: 1\nhosts:\n  a: {uri: 'sim:', zone: x}   # the first\n  b: {uri: 'sim:'}\n"
BLOCK = "version: 1\nhosts:\n  a:\n    uri: 'sim:'   # the first\n    zone: x\n  b: {uri: 'sim:'}\n"
STATED = "version: 1\nhosts:\n  a: {state: active, uri: 'sim:'}\n  b: {uri: 'sim:', state: \"cordoned\"} # why\n"


@pytest.mark.parametrize(
    ("text", "host", "after"),
    [
        (FLOW, "a", FLOW.replace("a: {", "a: {state: drained, ")),
        (FLOW, "b", FLOW.replace("b: {", "b: {state: drained, ")),
        (BLOCK, "a", BLOCK.replace("    uri: 'sim:'   #", "    state: drained\n    uri: 'sim:'   #")),
        (STATED, "a", STATED.replace("state: active", "state: drained")),
        (STATED, "b", STATED.replace('"cordoned"', "drained")),
        (
            BLOCK.replace("\n", "\r\n"),
            "a",
            BLOCK.replace("    uri: 'sim:'   #", "    state: drained\n    uri: 'sim:'   #").replace("\n", "\r\n"),
        ),
    ],
)
def test_only_the_state_changes(tmp_path: Path, text: str, host: str, after: str) -> None:
    spec = tmp_path / "cloud.yaml"
    spec.write_bytes(text.encode())
    assert restate(spec, host, "drained")
    assert spec.read_bytes() == after.encode()
    assert not restate(spec, host, "drained")


def test_a_host_that_is_active_without_a_word_is_left_as_it_is(tmp_path: Path) -> None:
    spec = tmp_path / "cloud.yaml"
    spec.write_text(FLOW)
    assert not restate(spec, "a", "active")
    assert spec.read_text() == FLOW


def test_a_host_that_is_not_there_is_named(tmp_path: Path) -> None:
    spec = tmp_path / "cloud.yaml"
    spec.write_text(FLOW)
    with pytest.raises(CloudsyncError, match='no host "c"'):
        restate(spec, "c", "drained")
    assert spec.read_text() == FLOW
