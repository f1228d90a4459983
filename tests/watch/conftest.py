"""The spec that most tests watch."""

from pathlib import Path

import pytest

from tests.watch.watched import SPEC


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "cloud.yaml").write_text(SPEC)
    return tmp_path / "cloud.yaml"
