"""Which taps of running machines count as lost, by what the agent and libvirt say one after the other."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cloudsync.hosts.taps import cut_off, with_lost
from cloudsync.model.agent_state import AgentState
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import HostState, HostStatus, Machine

TAP, OTHER = "cs-0123456789ab", "cs-ba9876543210"
WEB = Machine(
    uuid="u",
    name="web",
    cloud="lab",
    image="i",
    vcpus=1,
    memory=1,
    disk=1,
    nics=((OTHER, "52:54:00:00:00:01", "10.20.0.7"), (TAP, "52:54:00:00:00:02", "10.21.0.7")),
    power=Power.RUNNING,
)


def agent(*taps: str) -> AgentState:
    return AgentState(version="", kvm=True, kvm_reason="", taps=taps)


SILENT = replace(agent(), taps=None)
WHOLE, CUT = agent(TAP, OTHER), agent(OTHER)


def told(
    first: AgentState = CUT,
    again: AgentState = CUT,
    run: int = 3,
    machine: Machine = WEB,
    now: Mapping[str, int] | None = None,
) -> tuple[str, ...]:
    here = HostState(name="here", status=HostStatus.READY, machines={"u": machine}, runs={"u": 3})
    runs = {"u": run} if now is None else now
    return with_lost(here, first, lambda: again, lambda: runs, pause=0).machines["u"].lost


def test_a_tap_that_is_gone_while_its_machine_runs_is_lost() -> None:
    assert told() == (TAP,)


def test_nothing_is_lost_where_all_are_there_and_nobody_is_asked_again() -> None:
    here = HostState(name="here", status=HostStatus.READY, machines={"u": WEB}, runs={"u": 3})

    def asked() -> AgentState:
        raise AssertionError("asked again")

    assert with_lost(here, WHOLE, asked, dict, pause=0) is here


def test_one_that_was_just_started_has_it_at_the_second_look() -> None:
    assert told(again=WHOLE) == ()


@pytest.mark.parametrize("now", [{}, {"u": 4}])
def test_one_that_has_ended_or_was_started_anew_meanwhile_lost_nothing(now: Mapping[str, int]) -> None:
    assert told(now=now) == ()


@pytest.mark.parametrize("power", [Power.STOPPED, Power.PAUSED, Power.CRASHED])
def test_one_that_does_not_run_lost_nothing(power: Power) -> None:
    assert told(machine=replace(WEB, power=power)) == ()


@pytest.mark.parametrize(("first", "again"), [(SILENT, CUT), (CUT, SILENT)])
def test_an_agent_that_does_not_say_what_is_there_tells_of_no_loss(first: AgentState, again: AgentState) -> None:
    assert told(first, again) == ()


def test_a_tap_that_is_none_of_ours_is_nobodys_business() -> None:
    assert told(machine=replace(WEB, nics=(*WEB.nics[:1], ("vnet0", "", "")))) == ()


def test_a_checkup_names_it_and_the_way_out() -> None:
    state = HostState(name="here", status=HostStatus.READY, machines={"u": replace(WEB, lost=(TAP,)), "v": WEB})
    (found,) = cut_off(state)
    assert found.message == f"instance.web has lost its tap: {TAP}"
    assert found.hint == "only a restart brings it back: cloudsync reboot web"


def test_an_agent_that_does_not_answer_again_leaves_it_at_what_is_known() -> None:
    def away() -> AgentState:
        raise HostError("no agent")

    here = HostState(name="here", status=HostStatus.READY, machines={"u": WEB}, runs={"u": 3})
    assert with_lost(here, CUT, away, lambda: {"u": 3}, pause=0) == here
