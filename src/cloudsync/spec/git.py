"""Which commit the spec comes from, and whether its files differ from it: one call of git. `load` asks last.

The repository may be anybody's: its hooks, file system monitor and environment are kept out of it.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

SECONDS = 20


def commit(top: Path, files: Sequence[Path]) -> tuple[str, bool]:
    """The commit's hash and whether one of `files` is changed, new or ignored; ("", False) where git does not say."""
    inside = [str(path) for path in files if path.is_relative_to(top)]
    command = [
        *("git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
        *("-C", str(top), "status", "--porcelain=v2", "--branch", "-z", "--ignored", "--untracked-files=all"),
        *("--ignore-submodules=all", "--no-renames", "--", *inside),
    ]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_LITERAL_PATHSPECS": "1", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return "", False
    if done.returncode != 0:
        return "", False
    return _read(done.stdout.decode("utf-8", "replace").split("\0"))


def _read(lines: Sequence[str]) -> tuple[str, bool]:
    head = next((line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")), "")
    dirty = any(line and not line.startswith("# ") for line in lines)
    return ("", False) if head in ("", "(initial)") else (head, dirty)
