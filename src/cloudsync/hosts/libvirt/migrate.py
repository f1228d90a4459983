"""A running machine from one host's libvirt to another's, driven from here: neither needs to get into the other.

Called by move.py when image and an empty overlay are on the target. Only what the overlay holds is copied.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from threading import Event as Flag
from typing import Any

from cloudsync.hosts.libvirt.connection import Connection, lv
from cloudsync.hosts.libvirt.pair import between
from cloudsync.model.problem import HostError
from cloudsync.model.step import MoveInstance

_EVERY = 0.5
"""Seconds between two looks at how far it is: libvirt has no event for that."""
_MIB = 1 << 20
_FLAGS = (
    lv.VIR_MIGRATE_LIVE
    | lv.VIR_MIGRATE_PERSIST_DEST
    | lv.VIR_MIGRATE_UNDEFINE_SOURCE
    | lv.VIR_MIGRATE_NON_SHARED_INC
    | lv.VIR_MIGRATE_AUTO_CONVERGE
    | lv.VIR_MIGRATE_ABORT_ON_ERROR
)


def migrate(
    source: Connection, target: Connection, step: MoveInstance, progress: Callable[[str], None], stop: Flag
) -> None:
    """It runs on `target` when this returns. HostError, and it runs on the source, when it fails or `stop` is set
    meanwhile."""
    uuid = step.instance.uuid
    parameters: dict[str, Any] = {
        lv.VIR_MIGRATE_PARAM_URI: f"tcp://{step.to}",
        lv.VIR_MIGRATE_PARAM_LISTEN_ADDRESS: step.to,
    }
    if step.bandwidth:
        parameters[lv.VIR_MIGRATE_PARAM_BANDWIDTH] = max(1, step.bandwidth // _MIB)
    flags = _FLAGS | (lv.VIR_MIGRATE_TLS if step.tls else 0)
    with between(source, target, f"take in the machine {uuid}") as (raw, goal):
        domain = raw.lookupByUUIDString(uuid)
        if domain.state()[0] == lv.VIR_DOMAIN_PAUSED:
            raise HostError(f"host {source.host}: {domain.name()} is paused", "let it run, then apply again")
        with ThreadPoolExecutor(1) as pool:
            moving = pool.submit(domain.migrate3, goal, parameters, flags)
            aborted = False
            while not wait([moving], timeout=_EVERY).done:
                if stop.is_set():
                    aborted = _abort(domain) or aborted
                else:
                    _tell(domain, progress)
        _settle(moving.exception(), aborted, source)


def _settle(error: BaseException | None, aborted: bool, source: Connection) -> None:
    if error is not None and aborted:
        raise HostError(f"host {source.host}: the move was interrupted; it runs on there", "apply again to move it")
    if error is not None:
        raise error


def _abort(domain: Any) -> bool:
    """Whether there was something to abort: at the very end there is not."""
    with suppress(lv.libvirtError):
        domain.abortJob()
        return True
    return False


def _tell(domain: Any, progress: Callable[[str], None]) -> None:
    with suppress(lv.libvirtError):
        info = domain.jobInfo()
        total, done = info[3], info[4]
        if total:
            progress(f"{done / _MIB:.0f} of {total / _MIB:.0f} MiB")
