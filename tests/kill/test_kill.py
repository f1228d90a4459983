"""Struck at any moment, on one host and on three: a few of the moments that `make kill` tries."""

from collections.abc import Sequence

import pytest

from tests.kill.journey import Journey
from tests.kill.program import itself
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
    ("", "", "during virDomain.blockResize"),
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


def go_round(journey: Journey, story: Sequence[Leg], blows: Blows) -> None:
    for leg, (what, where, when) in zip(story, blows, strict=True):
        done = journey.leg(leg, when, journey.place.blow(what, where) if what else itself)
        assert done.reached(when), f"{when} never came:\n{done.said}"


def test_on_one_host(on_one: Journey) -> None:
    on_one.begin(ONE_HOST[-1].goal)
    for blows in (MAKING, KEEPING, DAEMONS):
        go_round(on_one, ONE_HOST, blows)


def test_on_three_hosts(on_three: Journey) -> None:
    on_three.begin(THREE_HOSTS[-1].goal)
    for blows in (MOVING, KNOWING, FALLING):
        go_round(on_three, THREE_HOSTS, blows)
