"""Which commit the spec comes from, whether its files differ from it, and how two commits are related. `load` asks
last, and lineage.py.

The repository may be anybody's: its hooks, file system monitor and environment are kept out of it.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

SECONDS = 20
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def commit(top: Path, files: Sequence[Path]) -> tuple[str, bool]:
    """The commit's hash and whether one of `files` is changed, new or ignored; ("", False) where git does not say."""
    inside = [str(path) for path in files if path.is_relative_to(top)]
    said = _said(
        top,
        *("status", "--porcelain=v2", "--branch", "-z", "--ignored", "--untracked-files=all"),
        *("--ignore-submodules=all", "--no-renames", "--", *inside),
    )
    return _read(said.split("\0")) if said is not None else ("", False)


def apart(top: Path, ours: str, theirs: str) -> tuple[int, int] | None:
    """How many commits only `ours` stands on, and how many only `theirs`; None where one of them is not there.

    A shallow clone may not have what joins them: then it is more than it says, see `shallow`.
    """
    if not (_HASH.fullmatch(ours) and _HASH.fullmatch(theirs)):
        return None
    said = _said(top, "rev-list", "--left-right", "--count", f"{ours}...{theirs}", "--")
    numbers = said.split() if said is not None else []
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else None


def shallow(top: Path) -> bool:
    """Whether older commits were left out of the clone."""
    return (_said(top, "rev-parse", "--is-shallow-repository") or "").strip() == "true"


def _said(top: Path, *words: str) -> str | None:
    """None when git does not run, refuses, or takes too long. Nothing is fetched, not for a partial clone either."""
    command = [
        *("git", "--no-optional-locks", "--no-replace-objects", "-c", "core.fsmonitor=false"),
        *("-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never", "-C", str(top), *words),
    ]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_LITERAL_PATHSPECS": "1", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _read(lines: Sequence[str]) -> tuple[str, bool]:
    head = next((line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")), "")
    dirty = any(line and not line.startswith("# ") for line in lines)
    return ("", False) if head in ("", "(initial)") else (head, dirty)
