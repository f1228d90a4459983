"""Plans and snapshots as files: whole values as JSON, without secrets."""

import os
from pathlib import Path
from typing import TypeVar

from cloudsync.model import wire
from cloudsync.model.plan import Plan
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import Snapshot

T = TypeVar("T")


def save_plan(plan: Plan, path: Path) -> None:
    """Write it for `apply PLAN`."""
    _write(path, wire.dump(Plan, plan))


def load_plan(path: Path) -> Plan:
    """Read what `save_plan` wrote."""
    return _read(path, Plan, "plan")


def save_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write it for `plan --snapshot`."""
    _write(path, wire.dump(Snapshot, snapshot))


def load_snapshot(path: Path) -> Snapshot:
    """Read what `save_snapshot` wrote."""
    return _read(path, Snapshot, "snapshot")


def _write(path: Path, data: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data + b"\n")
    except OSError as error:
        raise CloudsyncError(f"{path} cannot be written: {error.strerror}", "choose another place") from None


def _read(path: Path, kind: type[T], noun: str) -> T:
    try:
        return wire.load(kind, path.read_bytes())
    except OSError as error:
        raise CloudsyncError(f"the {noun} {path} cannot be read: {error.strerror}", "check the path") from None
    except ValueError:
        raise CloudsyncError(f"{path} is not a saved {noun} of this version", f"make the {noun} again") from None
