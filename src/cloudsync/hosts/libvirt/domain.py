"""Making, changing, starting, stopping and deleting one machine of ours. Called by host.py.

Everything can be repeated: what an earlier, killed run left half made is finished. A domain without our mark is never
touched.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cloudsync.hosts.libvirt.connection import Connection, lv, tell_monitor
from cloudsync.hosts.libvirt.domain_xml import Ours, Site, from_xml
from cloudsync.hosts.libvirt.grow import grow
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Instance

_ASK_AGAIN = 10.0
"""A guest that is still booting misses the power button, so it is pressed again."""

_REMAINS = (
    lv.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | lv.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | lv.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    | lv.VIR_DOMAIN_UNDEFINE_NVRAM
)

_RUNNING = (lv.VIR_DOMAIN_RUNNING, lv.VIR_DOMAIN_BLOCKED)


class Domains:
    """The machines of `cloud` on one host."""

    def __init__(self, connection: Connection, cloud: str) -> None:
        self._connection = connection
        self._cloud = cloud

    def read(self, uuid: str) -> Ours | None:
        """Our domain as it is defined, None when there is none. Raise HostError when it is not ours."""
        with self._connection.doing(f"read the machine {uuid}"):
            domain = self.find(uuid)
            return None if domain is None else self._ours(domain)

    def text(self, uuid: str) -> tuple[str, str, bool] | None:
        """Our domain's whole XML, its name, and whether it starts with the host; None when there is none."""
        with self._connection.doing(f"read the machine {uuid}"):
            domain = self.find(uuid)
            if domain is None:
                return None
            self._ours(domain)
            text = domain.XMLDesc(lv.VIR_DOMAIN_XML_INACTIVE | lv.VIR_DOMAIN_XML_SECURE)
            return str(text), str(domain.name()), bool(domain.autostart())

    def active(self, uuid: str) -> bool:
        """Whether it is anything but off."""
        with self._connection.doing(f"look for the machine {uuid}"):
            domain = self.find(uuid)
            return domain is not None and bool(domain.isActive())

    def define(self, text: str, uuid: str, name: str, autostart: bool = True) -> None:
        """Write the domain `text` (of `uuid` and `name`), over an older version of it if there is one. `autostart`: it
        starts with the host."""
        with self._connection.doing(f"define {name}") as raw:
            older = self.find(uuid)
            if older is not None:
                self._ours(older)
                if older.name() != name:
                    self._check_free(name)
                    older.rename(name)
            try:
                domain = raw.defineXML(text)
            except lv.libvirtError:
                self._check_free(name, uuid)
                raise
            domain.setAutostart(int(autostart))

    def grow(self, instance: Instance, site: Site) -> bool:
        """Give a running machine what it lacks of its sizes, without a stop. False when it does not run any more."""
        with self._connection.doing(f"grow {instance.name}"):
            domain = self._existing(instance.uuid, instance.name)
            if domain.isActive():
                grow(domain, instance, site, self._connection.host)
            return bool(domain.isActive())

    def start(self, uuid: str, label: str, booting: Callable[[], None] = lambda: None, for_good: bool = False) -> None:
        """Have it run: started, resumed when paused, restarted when crashed. `label` is for messages.

        `booting` is called before it begins to boot, not when it is resumed. `for_good`: autostart on.
        """
        with self._connection.doing(f"start {label}"):
            domain = self._existing(uuid, label)
            if for_good:
                domain.setAutostart(1)
            try:
                _run(domain, booting)
            except lv.libvirtError:
                if not _runs(domain):
                    raise

    def stop(self, uuid: str, label: str, grace: float, for_good: bool = False) -> None:
        """Press the power button, again every 10 s; pull the plug after `grace` seconds. `for_good`: autostart off.

        One whose memory was saved goes on first: it would come back later as it was, whatever is written meanwhile.
        """
        with self._connection.doing(f"stop {label}"):
            domain = self._existing(uuid, label)
            if for_good:
                domain.setAutostart(0)
            elif domain.hasManagedSaveImage():
                domain.create()
            if domain.isActive() and not self._power_button(domain, grace):
                _force_off(domain)

    def delete(self, uuid: str) -> None:
        """Forced off and undefined, with saved memory and snapshots. Nothing happens when it is gone."""
        with self._connection.doing(f"delete the machine {uuid}"):
            domain = self.find(uuid)
            if domain is None:
                return
            self._ours(domain)
            _force_off(domain)
            try:
                domain.undefineFlags(_REMAINS)
            except lv.libvirtError as error:
                if error.get_error_code() != lv.VIR_ERR_NO_DOMAIN:
                    raise

    def _power_button(self, domain: Any, grace: float) -> bool:
        """Whether it went off by itself in time. Only a running guest can listen."""
        deadline = time.monotonic() + grace
        with self._connection.stopping(domain.UUIDString()) as stopped:
            while (left := deadline - time.monotonic()) > 0:
                state = domain.state()[0]
                if state == lv.VIR_DOMAIN_SHUTOFF:
                    return True
                if state not in (*_RUNNING, lv.VIR_DOMAIN_SHUTDOWN):
                    return False
                if state != lv.VIR_DOMAIN_SHUTDOWN:
                    _press(domain)
                if stopped.wait(min(_ASK_AGAIN, left)):
                    return True
        return False

    def find(self, uuid: str) -> Any:
        """The virDomain, None when there is none."""
        try:
            return self._connection.raw.lookupByUUIDString(uuid)
        except lv.libvirtError as error:
            if error.get_error_code() != lv.VIR_ERR_NO_DOMAIN:
                raise
            return None

    def _existing(self, uuid: str, label: str) -> Any:
        domain = self.find(uuid)
        if domain is None:
            raise HostError(
                f"host {self._connection.host}: {label} is gone from libvirt", "plan again: it will be created anew"
            )
        self._ours(domain)
        return domain

    def _ours(self, domain: Any) -> Ours:
        """Ours and of this cloud, or HostError."""
        found = from_xml(domain.XMLDesc(lv.VIR_DOMAIN_XML_INACTIVE))
        if isinstance(found, Ours) and found.machine.cloud == self._cloud:
            return found
        if isinstance(found, Ours):
            owner = f"cloud {found.machine.cloud}"
        else:
            owner = "somebody else: it " + (
                f"is a copy of {found.copy_of}" if found.copy_of else "has no cloudsync mark"
            )
        raise HostError(
            f"host {self._connection.host}: the machine {domain.name()} belongs to {owner}",
            f"nothing was touched; give the instance another name, or rename it: virsh domrename {domain.name()} NEW",
        )

    def _check_free(self, name: str, uuid: str = "") -> None:
        """HostError when another domain than `uuid` has the name."""
        try:
            domain = self._connection.raw.lookupByName(name)
        except lv.libvirtError:
            return
        if domain.UUIDString() == uuid:
            return
        self._ours(domain)
        raise HostError(
            f"host {self._connection.host}: the name {name} is taken by another machine of this cloud "
            f"({domain.UUIDString()})",
            "plan again",
        )


def _run(domain: Any, booting: Callable[[], None]) -> None:
    """libvirt goes on with a start whose caller was killed. Until that is done the machine is off or paused, and then
    what is asked of it here fails, because it runs."""
    state = domain.state()[0]
    if state == lv.VIR_DOMAIN_PAUSED:
        _resume(domain)
    elif state == lv.VIR_DOMAIN_PMSUSPENDED:
        domain.pMWakeup()
    elif state not in _RUNNING:
        if state == lv.VIR_DOMAIN_CRASHED:
            domain.destroy()
        booting()
        domain.create()


def _runs(domain: Any) -> bool:
    return domain.state()[0] in _RUNNING


def _resume(domain: Any) -> None:
    """libvirt (9 to 11 at least) gives the gateway's address to the tap again when it resumes, and fails because the
    tap has kept it. Nothing is left to do then but to let the CPUs run."""
    try:
        domain.resume()
    except lv.libvirtError as error:
        if "Failed to add IP address" not in (error.get_error_message() or ""):
            raise
        tell_monitor(domain, "cont")


def _press(domain: Any) -> None:
    """QEMU that ends at this very moment leaves the call with whatever error its socket gave: the next look at the
    machine's state tells, and fails if libvirt itself is gone."""
    with suppress(lv.libvirtError):
        domain.shutdownFlags(lv.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)


def _force_off(domain: Any) -> None:
    """Off now; it may have gone off by itself meanwhile."""
    try:
        if domain.isActive():
            domain.destroy()
    except lv.libvirtError as error:
        if error.get_error_code() not in (lv.VIR_ERR_OPERATION_INVALID, lv.VIR_ERR_NO_DOMAIN):
            raise
