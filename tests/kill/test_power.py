"""A host loses its power in the middle of an apply: as it boots, no packet passes it before its rules are there."""

import json

import pytest

from tests.early.streams import streams
from tests.kill.journey import Journey
from tests.kill.place import Lab
from tests.kill.spec import GROUPS, Box, Cloud
from tests.kill.story import THREE_HOSTS

pytestmark = pytest.mark.real

PORT = 9
OPEN = {**GROUPS, "open": f"{{ingress: [{{protocol: udp, ports: {PORT}, from: any}}]}}"}


def forwarded(place: Lab, host: str) -> int:
    """How many packets the host has let through since it was switched on."""
    names, counts = [
        line.split() for line in place.shell(host, "cat /proc/net/snmp").splitlines() if line.startswith("Ip:")
    ]
    return int(counts[names.index("ForwDatagrams")])


def address(journey: Journey, name: str, cloud: Cloud) -> str:
    shown = journey.program.calm(journey.write(cloud), "status", "--format", "json").out
    return str(next(one["addresses"][0] for one in json.loads(shown)["instances"] if one["name"] == name))


def test_nothing_passes_a_host_that_boots(on_three: Journey, there: Lab) -> None:
    when = "during PATCH"
    first = THREE_HOSTS[-1].goal
    on_three.begin(first)
    target = address(on_three, "live", first)
    outside = there.it.underlay.outside
    outside.ip("route", "replace", f"{target}/32", "via", there.it.seats["h1"].address)
    with streams() as sending:
        sending.send(outside, target, PORT)
        spec = on_three.write(THREE_HOSTS[0].goal)
        on_three.program.run(spec, "apply", "-y", "--parallelism", "1", at=when, strike=there.blow("power", "h1"))
        assert there.it.pid("h1") is None, f"{when} never came"
        there.mend()
        sending.rounds()
        assert forwarded(there, "h1") == 0
        opened = Cloud(boxes={"live": Box(host="h1", groups=("open",), disks=("data 8",))}, groups=OPEN)
        on_three.begin(opened)
        sending.rounds()
        assert forwarded(there, "h1") > 0, "what is sent would have been seen"
