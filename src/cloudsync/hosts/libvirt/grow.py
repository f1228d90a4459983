"""A running machine gets a bigger disk, more memory and more vCPUs while it runs. Called by domain.py.

What it has already is passed over, so that a run that was cut off goes on. Nothing here stops it, whatever fails.
"""

from typing import Any

from cloudsync.hosts.libvirt.connection import lv
from cloudsync.hosts.libvirt.domain_xml import MARK, Ours, Site, from_xml, mark_of, more_memory
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Instance

_LIVE = lv.VIR_DOMAIN_AFFECT_LIVE
_DISK = "vda"


def grow(domain: Any, instance: Instance, site: Site, host: str) -> None:
    """HostError with the way out when libvirt or QEMU refuse."""
    found = from_xml(domain.XMLDesc())
    if not isinstance(found, Ours):
        raise HostError(f"host {host}: {instance.name} has lost its mark", "plan again")
    machine = found.machine
    if machine.vcpus > instance.vcpus or machine.memory > instance.memory:
        raise HostError(f"host {host}: {instance.name} is bigger by now than it is to be", "plan again")
    try:
        enlarge(domain, _DISK, instance.disk)
        if machine.memory < instance.memory:
            domain.attachDeviceFlags(more_memory(instance.memory - machine.memory), _LIVE)
        if machine.vcpus < instance.vcpus:
            domain.setVcpusFlags(instance.vcpus, _LIVE)
        # What is defined is what the next start takes; this is what is asked until then.
        write_mark(domain, mark_of(instance, site, found.written), _LIVE)
    except lv.libvirtError as error:
        raise HostError(
            f"host {host}: {instance.name} cannot grow while it runs: {error.get_error_message() or error}",
            f"it runs on; its next start gives it its new size: cloudsync stop {instance.name}, then apply",
        ) from error


def enlarge(domain: Any, disk: str, size: int) -> None:
    """The disk that the domain calls `disk`, in bytes; one that is as large stays."""
    if int(domain.blockInfo(disk)[0]) < size:
        domain.blockResize(disk, size, lv.VIR_DOMAIN_BLOCK_RESIZE_BYTES)


def write_mark(domain: Any, mark: str, where: int) -> None:
    """Into what runs, or into what is kept."""
    domain.setMetadata(lv.VIR_DOMAIN_METADATA_ELEMENT, mark, "cloudsync", MARK, where)
