"""Waiting for a machine that was started to be back, and what is said when it is not. Called by host.py and sim.py.

Its guest tells the end of its boot by the metadata service, or its ssh port answers: whichever is first.
"""

from collections.abc import Callable
from threading import Event as Flag
from time import monotonic

from cloudsync.model.agent_state import Signs
from cloudsync.model.problem import HostError
from cloudsync.model.step import AwaitInstance

_AGAIN = 1.0
"""Seconds between two looks."""


def wait_back(
    host: str,
    step: AwaitInstance,
    runs: Callable[[], bool],
    look: Callable[[], Signs],
    stop: Flag,
    again: float = _AGAIN,
) -> None:
    """`look` may fail while an agent is restarted: its last error is told when nothing better comes in time, and is not
    for trying it all once more."""
    end, error, unfinished = monotonic() + step.timeout, None, False
    while True:
        if not runs():
            raise not_running(host, step)
        try:
            signs = look()
            if _is_back(signs, unfinished):
                return
            unfinished, error = unfinished or signs.boot is None or not signs.boot.finished, None
        except HostError as problem:
            error = problem
        if monotonic() >= end:
            raise HostError(error.message, error.hint) if error else not_back(host, step)
        if stop.wait(again):
            raise HostError(f"host {host}: {step.address} was not waited for to the end", "apply again: it goes on")


def _is_back(signs: Signs, unfinished: bool) -> bool:
    """A guest that phones home does so once in its life: it counts when it was heard."""
    boot = signs.boot
    return signs.ssh or (boot is not None and (boot.told_its_end or (boot.finished and unfinished)))


def not_back(host: str, step: AwaitInstance) -> HostError:
    name = step.address.removeprefix("instance.")
    return HostError(
        f"host {host}: {step.address} did not come back in {step.timeout:g} s: its guest told no end of its boot, and "
        "its ssh port does not answer",
        f"`cloudsync logs {name}` may say why",
    )


def not_running(host: str, step: AwaitInstance) -> HostError:
    return HostError(
        f"host {host}: {step.address} is not back, and does not run",
        "the next apply starts it if it is to run",
    )
