from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.metadata import world
from tests.metadata.running import Running


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    """The real process, with the two guests of world.py."""
    with Running(tmp_path) as running:
        running.part.apply(world.two())
        yield running
