"""Struck at any moment, on one host and on three: a few of the moments that `make kill` tries."""

from collections.abc import Iterator, Sequence

import pytest

from tests.kill.journey import Journey
from tests.kill.place import Place, one_host, three_hosts
from tests.kill.program import Program, itself
from tests.kill.spec import Cloud
from tests.kill.story import ONE_HOST, THREE_HOSTS, Leg

pytestmark = pytest.mark.real

Blows = Sequence[tuple[str, str, str]]
"""For each leg: what is struck (empty for the controller itself), where, and when."""
MAKING: Blows = (
    ("", "", "after virStorageVol.upload"),
    ("", "", "after virStorageVol.delete"),
    ("", "", "after virDomain.rename"),
    ("", "", "during virDomain.create"),
    ("", "", "after virDomain.undefineFlags"),
    ("", "", "during DELETE /v1/images"),
)
KEEPING: Blows = (
    ("", "", "during POST /v1/images"),
    ("", "", "after virStoragePool.createXML"),
    ("", "", "during virStorageVol.resize"),
    ("", "", "during PATCH"),
    ("", "", "after virConnect.defineXML"),
    ("", "", "after virDomain.create"),
)
DAEMONS: Blows = (
    ("agent", "here", "during POST /v1/images"),
    ("libvirtd", "here", "during virDomain.create"),
    ("agent", "here", "during PATCH"),
    ("metadata", "here", "during PATCH"),
    ("dnsmasq", "here", "during PATCH"),
    ("libvirtd", "here", "during virDomain.undefineFlags"),
)
MOVING: Blows = (
    ("", "", "during virDomain.migrate3"),
    ("", "", "during virStream.send"),
    ("", "", "after virDomain.migrate3"),
    ("", "", "after virDomain.undefineFlags"),
)
KNOWING: Blows = (
    ("", "", "during PATCH"),
    ("", "", "step h2/document-moved-1"),
    ("", "", "done h3/instance.live/move"),
    ("", "", "during PUT /v1/instances"),
)
FALLING: Blows = (
    ("power", "h1", "during virDomain.migrate3"),
    ("power", "h2", "during virStream.send"),
    ("libvirtd", "h2", "during virDomain.migrate3"),
    ("agent", "h1", "during PATCH"),
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    with one_host(tmp_path_factory.mktemp("here")) as place:
        yield from begun(place, ONE_HOST)


@pytest.fixture(scope="module")
def there() -> Iterator[Journey]:
    with three_hosts() as place:
        yield from begun(place, THREE_HOSTS)


def begun(place: Place, story: Sequence[Leg]) -> Iterator[Journey]:
    journey = Journey(place, Program(place.folder))
    journey.begin(story[-1].goal)
    yield journey
    place.mend()
    journey.begin(Cloud(boxes={}))


def go_round(journey: Journey, story: Sequence[Leg], blows: Blows) -> None:
    for leg, (what, where, when) in zip(story, blows, strict=True):
        done = journey.leg(leg, when, journey.place.blow(what, where) if what else itself)
        assert any(moment.startswith(when) for moment in done.moments), f"{when} never came:\n{done.said}"


@pytest.mark.parametrize("blows", [MAKING, KEEPING, DAEMONS], ids=["making", "keeping", "daemons"])
def test_on_one_host(here: Journey, blows: Blows) -> None:
    go_round(here, ONE_HOST, blows)


@pytest.mark.parametrize("blows", [MOVING, KNOWING, FALLING], ids=["moving", "knowing", "falling"])
def test_on_three_hosts(there: Journey, blows: Blows) -> None:
    go_round(there, THREE_HOSTS, blows)
