"""An agent that runs, and is ended whatever the test did."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.lab import Lab
from tests.agent.shelf import Shelf

os.environ["NO_PROXY"] = "*"
"""Downloads of these tests stay on this machine, whatever proxy it has."""

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs an agent's process is slow."""
    for item in items:
        if item.path.parent == HERE and {"lab", "shared"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Not started yet."""
    lab = Lab(tmp_path)
    yield lab
    if lab.process is not None:
        lab.end(signal.SIGKILL)


@pytest.fixture
def agent(lab: Lab) -> Lab:
    """Started."""
    lab.start()
    return lab


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Started, for tests that change nothing in it."""
    lab = Lab(tmp_path_factory.mktemp("shared"))
    try:
        lab.start()
        yield lab
    finally:
        if lab.process is not None:
            lab.end(signal.SIGKILL)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with Shelf() as shelf:
        yield shelf
