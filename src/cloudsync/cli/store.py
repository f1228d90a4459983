"""Plans and snapshots as files: whole values as JSON, with a version and without secrets."""

import json
import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeVar

from cloudsync.cli.seal import Seal, confirm, seal
from cloudsync.model import wire
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Plan
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import Snapshot
from cloudsync.spec.files import FileProblem, given, unlinked

T = TypeVar("T")

_LARGEST = 1 << 30
"""Bytes. In a snapshot each host has every instance of the cloud."""

_OURS = re.compile(rb'\{\s*"format_version":')


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan's file."""

    format_version: Literal[1]
    plan: Plan
    seal: Seal


@dataclass(frozen=True, slots=True)
class SavedSnapshot:
    """A snapshot's file."""

    format_version: Literal[1]
    snapshot: Snapshot
    seal: Seal


def save_plan(plan: Plan, path: Path, key: Path | None = None) -> None:
    """Write it for `apply PLAN`, signed with `key`; only a saved plan may be there already."""
    sealed = seal(wire.dump(plan), "plan", key)
    _write(path, wire.dump(SavedPlan(1, plan, sealed)), "plan")


def load_plan(path: Path, signers: Path | None = None) -> Plan:
    """Read what `save_plan` wrote, if it is of one of `signers`."""
    return _read(path, SavedPlan, "plan", signers).plan


def save_snapshot(snapshot: Snapshot, path: Path, key: Path | None = None) -> None:
    """Write it for `plan --snapshot`, signed with `key`; only a saved snapshot may be there already."""
    sealed = seal(wire.dump(snapshot), "snapshot", key)
    _write(path, wire.dump(SavedSnapshot(1, snapshot, sealed)), "snapshot")


def load_snapshot(path: Path, signers: Path | None = None) -> Snapshot:
    """Read what `save_snapshot` wrote, if it is of one of `signers`."""
    return _read(path, SavedSnapshot, "snapshot", signers).snapshot


def _write(path: Path, data: bytes, noun: str) -> None:
    """Whole or not at all, for its owner alone."""
    try:
        target = unlinked(path)
        confirm_ours(target, path, noun, f"not a saved {noun}")
        handle, fresh = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data + b"\n")
                file.flush()
                os.fsync(file.fileno())
            Path(fresh).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(fresh).unlink()
            raise
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise CloudsyncError(f"{path} cannot be written: {reason}", "choose another place") from None


def confirm_ours(target: Path, path: Path, field: str, what: str) -> None:
    """CloudsyncError, which says `what` it is, when something is there that is neither empty nor JSON of ours with that
    `field`."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return
    if stat.S_ISREG(status.st_mode) and (not status.st_size or field in _fields(target.read_bytes())):
        return
    raise CloudsyncError(f"{path} is there, and is {what}: it is not overwritten", "choose another place, or remove it")


def _fields(data: bytes) -> dict[str, object]:
    """Those of a JSON object that has a version; else none."""
    try:
        found = json.loads(data) if _OURS.match(data) else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _read(path: Path, kind: type[T], noun: str, signers: Path | None) -> T:
    try:
        data = given(path, _LARGEST)
    except FileProblem as error:
        raise CloudsyncError(f"the {noun} {error}", error.hint or f"make the {noun} again") from None
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise CloudsyncError(f"the {noun} {path} cannot be read: {reason}", "check the path") from None
    fields = _fields(data)
    version = fields.get("format_version", 1)
    if version == 1 and {noun, "seal"} <= fields.keys():
        confirm(fields, noun, path, signers)
        with suppress(ValueError):
            return wire.load(kind, data)
    if version != 1:
        raise CloudsyncError(
            f"{path} has format version {version!r}, and this cloudsync reads version 1",
            f"make the {noun} again, or use the cloudsync that made it",
        )
    raise CloudsyncError(f"{path} is not a saved {noun}", f"make the {noun} again")
