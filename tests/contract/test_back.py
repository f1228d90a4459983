"""When a machine that was started counts as back, by what its host sees of it look after look."""

from collections.abc import Callable, Iterator
from threading import Event as Flag

import pytest

from cloudsync.hosts.back import wait_back
from cloudsync.model.agent_state import Signs
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Boot
from cloudsync.model.step import AwaitInstance

STARTED = Signs(boot=Boot(uuid="u"))
PHONED = Signs(boot=Boot(uuid="u", finished=True))
BOOTED = Signs(boot=Boot(uuid="u", stage="modules-final", finished=True))


class Looks:
    """Each once, the last for ever."""

    def __init__(self, *seen: Signs | HostError) -> None:
        self.left = list(seen)

    def __call__(self) -> Signs:
        one = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if isinstance(one, HostError):
            raise one
        return one


def wait(look: Callable[[], Signs], runs: Callable[[], bool] = lambda: True, timeout: float = 0.1) -> None:
    step = AwaitInstance(id="await", host="here", address="instance.web-1", uuid="u", timeout=timeout)
    wait_back("here", step, runs, look, Flag(), again=0.01)


@pytest.mark.parametrize(
    "looks", [(Signs(ssh=True),), (BOOTED,), (STARTED, BOOTED), (Signs(), PHONED), (HostError("busy"), STARTED, BOOTED)]
)
def test_it_is_back(looks: tuple[Signs | HostError, ...]) -> None:
    wait(Looks(*looks), timeout=30)


@pytest.mark.parametrize("looks", [(Signs(),), (STARTED,), (PHONED,), (PHONED, HostError("busy"), PHONED)])
def test_it_is_not_back(looks: tuple[Signs | HostError, ...]) -> None:
    """One that only ever phones home did that when it was new."""
    with pytest.raises(HostError, match=r"instance\.web-1 did not come back") as caught:
        wait(Looks(*looks))
    assert "cloudsync logs web-1" in caught.value.hint


def test_an_agent_that_does_not_answer_is_told_as_such() -> None:
    with pytest.raises(HostError, match="no agent"):
        wait(Looks(STARTED, HostError("no agent")))


def test_one_that_goes_off_meanwhile_is_not_waited_for() -> None:
    states: Iterator[bool] = iter((True, True, False))
    with pytest.raises(HostError, match="does not run"):
        wait(Looks(STARTED), lambda: next(states), timeout=600)
