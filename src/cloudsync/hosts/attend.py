"""What happens on a host that no step did: machines that stop, by libvirt; rules that change, by its agent.

The watch's ear listens to every host through it. A simulated host has nothing to tell: nobody else touches it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from cloudsync.apply.driver import Driver
from cloudsync.hosts.sim import SimHost
from cloudsync.hosts.unix_http import Absent
from cloudsync.model import wire
from cloudsync.model.agent_state import Alert
from cloudsync.model.problem import HostError

if TYPE_CHECKING:
    from cloudsync.hosts.agent_client import AgentClient

_LINE = 60.0
"""Seconds without a line; the agent sends one at least every 15 s."""

Heard = Callable[[str, str, str], None]
"""Takes whom it is about (a machine's uuid, empty for the host itself), the address of that, and what to say of it. It
may not wait."""


@contextmanager
def attending(driver: Driver, heard: Heard, lost: Callable[[], None]) -> Iterator[None]:
    """Until the block ends, or `lost` is called: nothing more is heard then. HostError when it cannot be asked."""
    if isinstance(driver, SimHost):
        yield
        return
    from cloudsync.hosts.host import Host

    if not isinstance(driver, Host):
        raise HostError(f"{driver.name} cannot be listened to", "report it")
    seat = driver.seat

    def machine(uuid: str, name: str, word: str) -> None:
        document = driver.delivery.known
        ours = [one.name for one in document.instances.values() if one.uuid == uuid] if document else [name]
        if ours:
            heard(uuid, f"instance.{ours[0]}", f"{name} {word} on {driver.name}")

    with _alerted(seat.agent, driver.name, heard, lost), seat.connection.attending(machine, lost):
        yield


@contextmanager
def _alerted(agent: "AgentClient", name: str, heard: Heard, lost: Callable[[], None]) -> Iterator[None]:
    """An older agent tells nothing, and is asked now and then as ever."""
    try:
        answer = agent.alerts()
    except Absent:
        yield
        return
    over = Event()

    def read() -> None:
        with suppress(HostError, ValueError):
            while line := answer.line(_LINE):
                if line.strip():
                    _tell(wire.load(Alert, line), name, heard)
        if not over.is_set():
            lost()

    thread = Thread(target=read, name=f"alerts {name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        answer.hang_up()
        thread.join()
        answer.close()


def _tell(alert: Alert, name: str, heard: Heard) -> None:
    if alert.drift:
        first = alert.drift[0]
        more = len(alert.drift) - 1 + alert.more
        heard("", f"host.{name}", f"{name}: {first.address}: {first.message}" + (f", and {more} more" if more else ""))
