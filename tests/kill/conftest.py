"""One host and three for all tests here, each of which begins and ends without instances."""

from collections.abc import Iterator

import pytest

from tests.kill.journey import Journey
from tests.kill.place import Lab, Place, one_host, three_hosts
from tests.kill.program import Program
from tests.kill.spec import Cloud


@pytest.fixture(scope="package")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with one_host(tmp_path_factory.mktemp("here")) as place:
        yield place


@pytest.fixture(scope="package")
def there() -> Iterator[Lab]:
    with three_hosts() as place:
        yield place


@pytest.fixture
def on_one(here: Place) -> Iterator[Journey]:
    yield from _cleared(here)


@pytest.fixture
def on_three(there: Lab) -> Iterator[Journey]:
    yield from _cleared(there)


def _cleared(place: Place) -> Iterator[Journey]:
    journey = Journey(place, Program(place.folder))
    yield journey
    place.mend()
    journey.begin(Cloud(boxes={}))
