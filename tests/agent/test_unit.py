"""The agent with its real parts under exactly the capabilities that its systemd unit leaves it."""

import re
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.agent.documents import NETWORK, document
from tests.agent.lab import REPOSITORY
from tests.agent.real import RealLab, real_lab

pytestmark = pytest.mark.real

UNIT = REPOSITORY / "src" / "cloudsync" / "packaging" / "cloudsync-agent.service"


def bounded() -> list[str]:
    """The command that leaves another one what the unit does."""
    found = re.search(r"^CapabilityBoundingSet=(.+)$", UNIT.read_text(), re.MULTILINE)
    assert found
    names = [name.removeprefix("CAP_").lower() for name in found[1].split()]
    return ["setpriv", "--bounding-set", ",".join(["-all", *(f"+{name}" for name in names)]), "--no-new-privs"]


@pytest.fixture
def real() -> Iterator[RealLab]:
    with real_lab(bounded()) as lab:
        yield lab


def test_document_after_document_is_in_force_without_drift(real: RealLab) -> None:
    """The third needs another configuration, so another process of dnsmasq."""
    back = replace(NETWORK, name="back", subnet="10.30.0.0/16", gateway="10.30.0.1")
    networks = {"default": NETWORK, "back": back}
    for wanted in (document(1, uplink=None), document(2, uplink=None), document(3, uplink=None, networks=networks)):
        real.client.put_document(wanted, wanted.generation - 1)
        assert real.client.host().drift == ()


def test_an_agent_that_was_killed_is_followed_by_one_that_knows_its_processes(real: RealLab) -> None:
    real.client.put_document(document(1, uplink=None), 0)
    real.end(signal.SIGKILL)
    real.start()
    assert real.client.host().drift == ()
    real.client.put_document(document(2, uplink=None), 1)
    assert real.client.host().drift == ()
