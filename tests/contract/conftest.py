"""The drivers that keep the contract: the simulated host, and the real one on this machine's libvirt and agent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudsync.hosts.sim import SimHost
from tests.contract.site import Site, cleaned
from tests.lab.cloud import blank_image, running_agent


@pytest.fixture(scope="module")
def real_agent() -> Iterator[None]:
    with running_agent():
        yield


@pytest.fixture(params=["sim", pytest.param("real", marks=pytest.mark.real)])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    image = blank_image(tmp_path / "blank.raw")
    if request.param == "sim":
        yield Site(SimHost("here", "sim:?vcpus=8&memory=4GiB&disk=1GiB", tmp_path, "contract"), image)
        return
    from cloudsync.hosts.host import Host
    from cloudsync.model.cloud import Host as Wanted

    request.getfixturevalue("real_agent")
    driver = Host(Wanted(name="here", uri="qemu:///system"), "contract")
    with cleaned(Site(driver, image)) as found:
        yield found
    driver.close()
