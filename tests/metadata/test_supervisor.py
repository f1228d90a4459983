"""The supervisor with its real process: what a guest posts while its record is being changed."""

from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest

from cloudsync.agent.metadata import predecessor
from cloudsync.agent.metadata.limits import Limits
from cloudsync.agent.metadata.port import listen
from cloudsync.agent.metadata.reports import Report
from cloudsync.agent.metadata.supervisor import Supervisor
from tests.effort import PATIENCE
from tests.metadata import world
from tests.metadata.guest import ask
from tests.metadata.running import killed

pytestmark = pytest.mark.slow

POSTED = "/openstack/latest/password"


class Supervised:
    def __init__(self, folder: Path) -> None:
        (folder / "empty").mkdir()
        self.reports: Queue[tuple[str, Report]] = Queue()
        self.listener = listen("127.0.0.1", 0)
        self.port = int(self.listener.getsockname()[1])
        self.supervisor = Supervisor(self.listener, folder, Limits(), lambda *report: self.reports.put(report))


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    made = Supervised(tmp_path)
    yield made
    made.supervisor.close()
    made.listener.close()
    predecessor.end(tmp_path)


def test_a_password_that_comes_while_records_change_is_not_lost(supervised: Supervised) -> None:
    """The new records were made before it came, so they do not have it; the next process must all the same."""
    before_it_came = world.two_records()
    supervised.supervisor.change(before_it_came)
    assert ask(world.ADDRESS_A, supervised.port, POSTED, "POST", b"sealed").status == 200
    supervised.reports.get(timeout=PATIENCE)
    supervised.supervisor.change(before_it_came)
    assert supervised.supervisor.pid is not None
    killed(supervised.supervisor.pid)
    assert ask(world.ADDRESS_A, supervised.port, POSTED).body == b"sealed"
    assert ask(world.ADDRESS_A, supervised.port, POSTED, "POST", b"other").status == 409
