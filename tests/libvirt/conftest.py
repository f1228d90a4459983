"""A libvirt of the test's own: everything here runs inside a private machine and removes what it made."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from cloudsync.hosts.host import Host
from cloudsync.hosts.libvirt.connection import Connection, lv
from cloudsync.hosts.libvirt.domain import Domains
from cloudsync.hosts.libvirt.domain_xml import Site, to_xml
from cloudsync.hosts.libvirt.survey import Survey, survey
from cloudsync.hosts.libvirt.volume import FOLDER, Pool
from cloudsync.model.cloud import Host as Wanted
from cloudsync.model.resources import Instance
from tests.agent.lab import Lab as Agent
from tests.lab.cloud import DEAF, blank_image
from tests.libvirt.samples import a_site, an_instance

FOREIGN = """<domain type='qemu'><name>{name}</name><memory unit='MiB'>24</memory><vcpu>2</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>{disk}</devices></domain>"""


@dataclass(frozen=True, slots=True)
class Lab:
    """The parts under test on this machine's libvirt, and a blank image in the pool."""

    connection: Connection
    pool: Pool
    domains: Domains
    image: str

    def site(self) -> Site:
        return a_site()

    def instance(self, name: str = "web-1", number: int = 7) -> Instance:
        """Distinct in name and number; its image is in the pool."""
        return an_instance(name, f"7b0c1f6e-52d4-4a3f-9c1e-0d5b8a2f{number:04x}", self.image, number)

    def define(self, instance: Instance) -> Instance:
        self.pool.make_root(instance.uuid, instance.disk, instance.image, "raw")
        self.domains.define(to_xml(instance, self.site()), instance.uuid, instance.name)
        return instance

    def run(self, instance: Instance) -> Instance:
        self.define(instance)
        self.domains.start(instance.uuid, instance.name)
        return instance

    def foreign(self, name: str, disk: Path | None = None) -> str:
        """A domain of somebody else; returns its uuid."""
        text = f"<disk type='file'><source file='{disk}'/><target dev='vda' bus='virtio'/></disk>" if disk else ""
        return str(self.connection.raw.defineXML(FOREIGN.format(name=name, disk=text)).UUIDString())

    def survey(self) -> Survey:
        return survey(self.connection, self.pool, "lab")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    if not os.environ.get("CLOUDSYNC_PRIVATE_MACHINE"):
        pytest.fail("this test changes libvirt: run it as `python tests/lab/private.py pytest …`")
    connection = Connection("here", "qemu:///system")
    pool = Pool(connection)
    pool.capacity()
    blank = blank_image(tmp_path / "blank.raw", DEAF)
    digest = sha256(blank.read_bytes()).hexdigest()
    image = Path(FOLDER, f"image-{digest}")
    image.write_bytes(blank.read_bytes())
    image.chmod(0o644)
    try:
        yield Lab(connection, pool, Domains(connection, "lab"), digest)
    finally:
        for domain in connection.raw.listAllDomains():
            with suppress(lv.libvirtError):
                domain.destroy()
            domain.undefine()
        for path in Path(FOLDER).rglob("*"):
            if not path.is_dir():
                path.unlink()
        found = connection.raw.storagePoolLookupByName("cloudsync")
        found.destroy()
        found.undefine()
        connection.close()


@pytest.fixture
def agent(lab: Lab, tmp_path: Path) -> Iterator[Agent]:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "pool").symlink_to(FOLDER)
    agent = Agent(tmp_path / "agent")
    agent.start()
    yield agent
    if agent.process is not None:
        agent.end(signal.SIGKILL)


@pytest.fixture
def host(agent: Agent) -> Iterator[Host]:
    host = Host(Wanted(name="here", uri="qemu:///system", virt="qemu"), "lab", agent.socket)
    yield host
    host.close()
