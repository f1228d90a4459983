"""One lab for all tests here; each begins and ends without instances, on hosts as they were."""

from collections.abc import Iterator

import pytest

from tests.lab.lab import Hosts, lab
from tests.moves.scene import Scene


@pytest.fixture(scope="package")
def it() -> Iterator[Hosts]:
    with lab(hosts=2) as hosts:
        yield hosts


@pytest.fixture
def scene(it: Hosts) -> Iterator[Scene]:
    scene = Scene(it)
    yield scene
    it.start(*it.names)
    scene.write()
    scene.apply("--allow-destroy", "--allow-mass-delete")
    for host in it.names:
        assert scene.machines(host) == {}
        assert scene.disks(host) == []
        assert scene.data(host) == []
