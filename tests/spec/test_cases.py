"""Every message that a spec can cause, with its place, line, caret and hint: cases/NAME.yaml prints cases/NAME.txt."""

from pathlib import Path

import pytest

from tests.spec.golden import rendered, specs


@pytest.mark.parametrize("spec", specs(), ids=lambda spec: spec.stem)
def test_case(spec: Path) -> None:
    assert rendered(spec) == spec.with_suffix(".txt").read_text(encoding="utf-8")


def test_no_secret_is_shown() -> None:
    for spec in specs():
        shown = spec.with_suffix(".txt").read_text(encoding="utf-8")
        for secret in ("hunter2", "b3BlbnNzaC1rZXktdjE", "PRIVATE KEY-----"):
            assert secret not in shown, spec.name
