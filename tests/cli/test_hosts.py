"""`host` and what cannot leave its host, as typed commands against simulated hosts."""

import json

import pytest

from tests.cli.specs import PAIR
from tests.cli.terminal import Terminal

SPEC = PAIR + "  fat: {image: blank, flavor: small, placement: {host: h1}}\n"
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


def test_a_drain_that_is_refused_leaves_the_spec_as_it_was(cloud: Terminal) -> None:
    """With the host drained there is no place for what is new."""
    cloud.write(SPEC.replace("h2: {", "h2: {state: cordoned, ") + MORE)
    before = cloud.spec.read_bytes()
    refused = cloud.type("host", "drain", "h1", "-y")
    assert refused.code == 1
    assert "there is no place for instance.web; nothing was changed" in refused.err
    assert cloud.spec.read_bytes() == before
    assert "is as it was" in refused.err
    assert "is written into" not in refused.err


def test_a_drain_that_nobody_agreed_to_leaves_the_spec_as_it_was(cloud: Terminal) -> None:
    cloud.write(SPEC.replace("placement: {host: h1}", "placement: {zone: a}").replace("{uri", "{zone: a, uri"))
    assert cloud.type("apply", "-y").code == 0
    before = cloud.spec.read_bytes()
    unasked = cloud.type("host", "drain", "h1")
    assert (unasked.code, "nobody is there to ask" in unasked.err) == (1, True)
    assert cloud.spec.read_bytes() == before
    assert cloud.type("host", "drain", "h1", "-y").code == 0
    assert cloud.spec.read_bytes() != before


def test_a_drain_stays_in_the_spec_and_so_does_its_undoing(cloud: Terminal) -> None:
    """Even where nothing can move: that is named, and no other drain is in the way of undoing one."""
    before = cloud.spec.read_text()
    drained = cloud.type("host", "drain", "h1", "-y")
    assert (drained.code, "instance.fat cannot move and stays on h1" in drained.err) == (1, True)
    assert "`state: drained` is written into" in drained.err
    assert cloud.spec.read_text() == before.replace("h1: {", "h1: {state: drained, ", 1)
    assert cloud.type("host", "drain", "h2", "-y").code == 1
    undone = cloud.type("host", "drain", "h2", "--undo", "-y")
    assert "`state: active` is written into" in undone.err
    assert cloud.spec.read_text().count("state: drained") == 1
    assert cloud.type("host", "drain", "h1", "--undo", "-y").code == 0


def test_a_host_is_as_full_in_the_status_as_in_the_list(cloud: Terminal) -> None:
    listed = cloud.type("host", "list").out.splitlines()[1].split()
    assert listed[2:6] == ["1", "1", "of", "64"]
    shown = next(line for line in cloud.type("status").out.splitlines() if line.startswith("h1 "))
    assert shown.split()[2:] == listed[3:-1]


def test_words_of_one_instance_and_of_no_disruption(cloud: Terminal) -> None:
    assert "If host.h1 died, its one instance would have no home." in cloud.type("plan", "--what-if-lost", "h1").out
    cloud.write(SPEC.replace("placement:", "protect: true, placement:"))
    assert "protect false → true  no disruption (on h1)" in cloud.type("plan").out
    fields = json.loads(cloud.type("plan", "--format", "json").out)["changes"]
    assert {one["disruption"] for one in fields if one["address"] == "instance.fat"} == {"none"}


def test_a_simulated_host_is_emptied_while_its_own_steps_go_on(cloud: Terminal) -> None:
    crowd = "  x: {image: blank, flavor: small, count: 20}\n"
    cloud.write(SPEC.replace("h2: {", "h2: {state: cordoned, ").replace(", placement: {host: h1}", "") + crowd)
    assert cloud.type("apply", "-y").code == 0
    cloud.write(cloud.spec.read_text().replace("state: cordoned, ", ""))
    drained = cloud.type("host", "drain", "h1", "-y")
    assert drained.code == 0, drained.err
    rows = json.loads(cloud.type("host", "list", "--format", "json").out)["hosts"]
    assert [row["instances"] for row in rows] == [0, 21]


def test_what_if_is_asked_about_one_host(cloud: Terminal) -> None:
    both = cloud.type("plan", "--what-if-lost", "h1", "--what-if-lost", "h2")
    assert both.code == 64
    assert "--what-if-lost asks about one host" in both.err


def test_a_status_of_many_hosts_says_how_to_ask_what_losing_one_means(cloud: Terminal) -> None:
    """The price grows with the square of the hosts."""
    assert "worst host to lose" in cloud.type("status").out
    more = "".join(f"  m{number}: {{uri: 'sim:'}}\n" for number in range(100))
    cloud.write(SPEC.replace("hosts:\n", f"hosts:\n{more}", 1))
    shown = cloud.type("status").out
    assert "worst host to lose" not in shown
    assert "cloudsync plan --what-if-lost HOST" in shown
