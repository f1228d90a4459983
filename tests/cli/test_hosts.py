"""`host` and what cannot leave its host, as typed commands against simulated hosts."""

import json

import pytest

from tests.cli.terminal import Terminal
from tests.cli.test_out_of_reach import KEY

SPEC = f"""\
version: 1
cloud: demo
hosts:
  h1: {{uri: 'sim:'}}
  h2: {{uri: 'sim:'}}
images:
  blank: {{source: 'https://example.org/blank.qcow2', sha256: {"ab" * 32}}}
networks:
  default: {{subnet: 10.20.0.0/24}}
flavors:
  small: {{vcpus: 1, memory: 512MiB, disk: 4GiB}}
keypairs:
  alice: {KEY}
instances:
  fat: {{image: blank, flavor: small, placement: {{host: h1}}}}
"""
MORE = "  web: {image: blank, flavor: small}\n"


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    terminal.write(SPEC)
    applied = terminal.type("apply", "-y")
    assert applied.code == 0, applied.err
    return terminal


def test_one_that_cannot_move_is_named_and_the_rest_is_done(cloud: Terminal) -> None:
    cloud.write(SPEC.replace("h2: {", "h2: {state: cordoned, ").replace("host: h1", "host: h2") + MORE)
    plan = cloud.type("plan")
    assert plan.code == 1
    assert "instance.fat  stays on h1: it cannot move (" in plan.out
    assert "h2: cordoned" in plan.out
    assert "No place" not in plan.out
    applied = cloud.type("apply", "-y")
    assert applied.code == 1
    assert "instance.fat cannot move and stays on h1" in applied.err
    assert "nothing was changed" not in applied.err
    where = {row["name"]: row["host"] for row in json.loads(cloud.type("status", "--format", "json").out)["instances"]}
    assert where == {"fat": "h1", "web": "h1"}
    again = cloud.type("apply", "-y")
    assert (again.code, "stays on h1" in again.err) == (1, True)
