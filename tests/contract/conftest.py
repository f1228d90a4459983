"""The drivers that keep the contract: the simulated host, and the real one on this machine's libvirt and agent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cloudsync.hosts.sim import SimHost
from cloudsync.hosts.sim_state import SimState
from cloudsync.model.resources import Instance
from tests.contract.site import NETWORK, Site, cleaned
from tests.lab.cloud import blank_image, running_agent
from tests.lab.understudy import understudy


@pytest.fixture(scope="module")
def real_agent() -> Iterator[None]:
    with running_agent():
        yield


@contextmanager
def heard(host: SimHost, one: Instance) -> Iterator[None]:
    silent = host.state.silent
    host.state = replace(host.state, silent=silent - {one.name})
    yield
    host.state = replace(host.state, silent=silent)


@contextmanager
def answering(one: Instance) -> Iterator[None]:
    """At its ssh port."""
    with understudy(one.nics[0], NETWORK.gateway) as guest, guest.listen(22):
        yield


@pytest.fixture(params=["sim", pytest.param("real", marks=pytest.mark.real)])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    image = blank_image(tmp_path / "blank.raw")
    if request.param == "sim":
        simulated = SimHost("here", "sim:?vcpus=8&memory=4GiB&disk=1GiB", tmp_path, "contract")
        simulated.state = SimState(silent=frozenset({"web"}))
        yield Site(simulated, image, partial(heard, simulated))
        return
    from cloudsync.hosts.host import Host
    from cloudsync.model.cloud import Host as Wanted

    request.getfixturevalue("real_agent")
    driver = Host(Wanted(name="here", uri="qemu:///system"), "contract")
    with cleaned(Site(driver, image, answering)) as found:
        yield found
    driver.close()
