"""Which commit the spec comes from, whether its files differ from it, how two commits are related, and what is in one.
`load` asks last, lineage.py and commits.py.

The repository may be anybody's: its hooks, filters, file system monitor and environment are kept out of it.
"""

import os
import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from cloudsync.model.problem import CloudsyncError

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


def named(top: Path, written: str) -> str:
    """The hash of the commit that a person calls `written`. CloudsyncError when there is none."""
    if written.startswith("-") or not written.isprintable():
        raise CloudsyncError(f"{written!r} is not a commit", "name a branch, a tag or a hash")
    found = (_said(top, "rev-parse", "--verify", "--quiet", f"{written}^{{commit}}") or "").strip()
    if not _HASH.fullmatch(found):
        why = "" if _said(top, "rev-parse", "--git-dir") else f", and git does not read {top}: try `git -C {top} log`"
        raise CloudsyncError(f"there is no commit {written!r} here{why}", "fetch it first, or name another")
    return found


def renamed(top: Path, base: str, head: str) -> dict[str, str]:
    """Files that have another name in `head` (what is staged, when it is empty), by their name in `base`."""
    options = ("-r", "-z", "-M", "-l1000", "--diff-filter=R", "--name-status", "--no-ext-diff", "--no-textconv")
    command = ("diff-tree", *options, base, head) if head else ("diff-index", "--cached", *options[1:], base)
    words = (_said(top, *command, "--") or "").split("\0")
    return dict(zip(words[1::3], words[2::3], strict=False))


class Objects:
    """What the repository at `top` has stored, as it is stored: nothing is checked out, converted or fetched."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._git: subprocess.Popen[bytes] | None = None

    def read(self, name: str, limit: int) -> bytes | int:
        """The content of the object with this hash; only its size where that is more than `limit`."""
        git = self._git = self._git or self._opened()
        if git.stdin is None or git.stdout is None:
            raise ValueError("git was opened without pipes")
        with suppress(BrokenPipeError):
            git.stdin.write(f"{name}\n".encode())
            git.stdin.flush()
        words = git.stdout.readline(200).split()
        size = int(words[2]) if len(words) == 3 else -1
        if size > limit:
            self.close()
            return size
        data = git.stdout.read(size + 1) if size >= 0 else b""
        if not data or len(data) != size + 1:
            self.close()
            raise CloudsyncError(f"git does not find {name} in {self._top}", "fetch it: a partial clone lacks some")
        return data[:-1]

    def close(self) -> None:
        if self._git:
            self._git.kill()
            self._git.communicate()
            self._git = None

    def _opened(self) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(
                _command(self._top, "cat-file", "--batch"),
                env=_environment(),
                stdin=pipe,
                stdout=pipe,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise CloudsyncError(f"git does not run: {error.strerror}", "install git") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def _said(top: Path, *words: str) -> str | None:
    """None when git does not run, refuses, or takes too long."""
    command, environment = _command(top, *words), _environment()
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _command(top: Path, *words: str) -> list[str]:
    """Nothing is fetched, not for a partial clone either."""
    return [
        *("git", "--no-optional-locks", "--no-replace-objects", "-c", "core.fsmonitor=false"),
        *("-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never", "-C", str(top), *words),
    ]


def _environment() -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return environment | {"GIT_LITERAL_PATHSPECS": "1", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


def _read(lines: Sequence[str]) -> tuple[str, bool]:
    head = next((line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")), "")
    dirty = any(line and not line.startswith("# ") for line in lines)
    return ("", False) if head in ("", "(initial)") else (head, dirty)
