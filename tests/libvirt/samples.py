"""An instance and the host it is for, with every field that reaches the domain XML set to something recognisable."""

from pathlib import Path

from cloudsync.hosts.libvirt.domain_xml import Site
from cloudsync.hosts.libvirt.survey import Survey
from cloudsync.model.resources import Digest, Instance, Nic
from cloudsync.model.snapshot import HostState, Machine, Usage

MiB = 1 << 20
UUID = "7b0c1f6e-52d4-4a3f-9c1e-0d5b8a2f4e11"
IMAGE = "5a" * 32
MOST = Usage(vcpus=4, memory=288 * MiB)


def an_instance(name: str = "web-1", uuid: str = UUID, image: str = IMAGE, number: int = 7) -> Instance:
    """One vCPU, 32 MiB, a disk of 8 MiB, one NIC with address 10.20.0.NUMBER."""
    nic = Nic(
        network="default",
        address=f"10.20.0.{number}",
        mac=f"52:54:00:00:00:{number:02x}",
        tap=f"cs-{number:012x}",
    )
    return Instance(
        name=name,
        uuid=uuid,
        incarnation=0,
        host="here",
        image=image,
        image_name="blank",
        flavor="tiny",
        vcpus=1,
        memory=32 * MiB,
        disk=8 * MiB,
        nics=(nic,),
        user_data=Digest(sha256="0" * 64, size=12),
    )


def a_site(cloud: str = "lab", pool: str = "/var/lib/cloudsync/pool") -> Site:
    return Site(
        cloud=cloud,
        generation=3,
        gateways={"default": "10.20.0.1"},
        virt="qemu",
        image_format="raw",
        pool=pool,
        most=MOST,
    )


def named(state: HostState | Survey, name: str) -> Machine:
    """The one machine of that name; KeyError when there is none."""
    return {machine.name: machine for machine in state.machines.values()}[name]


def virtual_size(path: Path) -> int:
    """From the qcow2 header: bytes 24..31, big endian."""
    return int.from_bytes(path.read_bytes()[24:32], "big")
