"""Data disks of the machines of one host: made, attached and grown while a machine runs, taken away. Called by host.py.

Everything can be repeated: what an earlier, killed run left half done is finished.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from xml.etree import ElementTree as ET

from cloudsync.hosts.libvirt.connection import Connection, lv
from cloudsync.hosts.libvirt.disk_xml import attached, data_disk, device, device_of, free_name
from cloudsync.hosts.libvirt.domain import Domains
from cloudsync.hosts.libvirt.domain_xml import without_disk
from cloudsync.hosts.libvirt.grow import enlarge, write_mark
from cloudsync.hosts.libvirt.volume import Pool
from cloudsync.model.problem import HostError
from cloudsync.model.resources import DataDisk, Instance

_PATIENCE = 20.0
"""Seconds for a guest to let go of a disk."""


class DataDisks:
    def __init__(
        self, connection: Connection, pool: Pool, domains: Domains, patience: Callable[[], float] = lambda: _PATIENCE
    ) -> None:
        self._connection, self._pool, self._domains, self._patience = connection, pool, domains, patience
        # Two at once would each write the mark without the other's disk.
        self._parting = threading.Lock()

    def ready(self, instance: Instance) -> None:
        """Have every volume, at least as large as wanted. One that a running machine has is left to `join`."""
        with self._connection.doing(f"look at the disks of {instance.name}"):
            domain = self._domains.find(instance.uuid)
            held = attached(domain.XMLDesc()) if domain is not None and domain.isActive() else {}
        for disk in instance.disks:
            if not self._pool.make_data(disk.id, disk.size) and disk.id not in held:
                self._pool.grow(data_disk(disk.id), disk.size)

    def join(self, instance: Instance) -> None:
        """Have the running machine, whose definition and mark name them, hold every disk at its size. Nothing happens
        to one that is off."""
        with self._connection.doing(f"attach the disks of {instance.name}"):
            domain = self._domains.find(instance.uuid)
            if domain is None or not domain.isActive() or not instance.disks:
                return
            for disk in instance.disks:
                text = domain.XMLDesc()
                held = attached(text)
                if disk.id not in held:
                    element = device(disk, self._pool.folder, free_name(text))
                    domain.attachDeviceFlags(ET.tostring(element, encoding="unicode"), lv.VIR_DOMAIN_AFFECT_LIVE)
                else:
                    enlarge(domain, held[disk.id], disk.size)

    def part(self, uuid: str, label: str, disk: DataDisk) -> None:
        """Take the disk out of the machine, then remove its volume."""
        with self._parting, self._connection.doing(f"detach disk {disk.name} of {label}"):
            domain = self._domains.find(uuid)
            if domain is not None:
                if domain.isActive():
                    self._let_go(domain, label, disk)
                _detach(domain, disk.id, lv.VIR_DOMAIN_AFFECT_CONFIG)
                _forget(domain, disk.id)
        self._pool.delete(data_disk(disk.id))

    def _let_go(self, domain: Any, label: str, disk: DataDisk) -> None:
        """A guest is asked, and answers when it likes."""
        deadline = time.monotonic() + self._patience()
        with self._connection.losing(domain) as lost:
            _detach(domain, disk.id, lv.VIR_DOMAIN_AFFECT_LIVE)
            while domain.isActive() and disk.id in attached(domain.XMLDesc()):
                if not lost.wait(max(0.0, deadline - time.monotonic())):
                    raise HostError(
                        f"host {self._connection.host}: the guest of {label} does not let go of its disk {disk.name}",
                        "stop the instance (from within, or with `state: stopped`), then apply again: off, it cannot "
                        "hold on to it",
                    )
                lost.clear()


def remove(domains: Domains, pool: Pool, uuid: str, disks: Iterable[str]) -> None:
    """A machine and its disks. The root disk last: as long as it is there, the machine is known to have been."""
    domains.delete(uuid)
    for disk in disks:
        pool.delete(data_disk(disk))
    pool.delete_root(uuid)


def _detach(domain: Any, disk: str, where: int) -> None:
    """Nothing happens when it is not there, and when the guest was asked before and has not answered."""
    kind = lv.VIR_DOMAIN_XML_INACTIVE if where == lv.VIR_DOMAIN_AFFECT_CONFIG else 0
    element = device_of(domain.XMLDesc(kind), disk)
    if element is None:
        return
    try:
        domain.detachDeviceFlags(element, where)
    except lv.libvirtError as error:
        if "unplug" not in (error.get_error_message() or ""):
            raise


def _forget(domain: Any, disk: str) -> None:
    for kind, where in ((0, lv.VIR_DOMAIN_AFFECT_LIVE), (lv.VIR_DOMAIN_XML_INACTIVE, lv.VIR_DOMAIN_AFFECT_CONFIG)):
        if where == lv.VIR_DOMAIN_AFFECT_LIVE and not domain.isActive():
            continue
        mark = without_disk(domain.XMLDesc(kind), disk)
        if mark is not None:
            write_mark(domain, mark, where)
