from collections.abc import Iterator

import pytest

from tests.drift.scene import Scene, playing


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with playing(tmp_path_factory.mktemp("drift")) as it:
        yield it
