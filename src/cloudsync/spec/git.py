"""Which commit the spec comes from, whether its files differ from it, how two commits are related, what is in one, and
what a remote has. `load` asks last, lineage.py, commits.py and follow.py.

The repository may be anybody's: its hooks, filters, file system monitor and environment are kept out of it. Only a
fetch goes by its configuration, for how to get to a remote stands there.
"""

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError
from cloudsync.spec.words import printable

SECONDS = 20
FETCH_SECONDS = 120
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FETCH = (
    *("-c", "fetch.fsckObjects=true", "-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=30"),
    *("fetch", "--quiet", "--force", "--no-tags", "--no-prune", "--no-recurse-submodules", "--no-write-fetch-head"),
    *("--no-auto-maintenance", "--no-write-commit-graph", "--no-filter", "--refmap="),
)
"""Odd objects are refused. `--refmap=` leaves the branches alone that follow the remote's."""

_SECOND = 1_000_000_000
_STAGED = re.compile(
    r"100[0-7]{3} (?P<name>[0-9a-f]+) 0\t[^\0]*\0"
    r"(?:\s+ctime: .*\s+mtime: (?P<seconds>\d+):(?P<rest>\d+)\s+dev: .*\s+uid: .*\s+size: (?P<size>\d+)\t)?"
)

_WAYS = ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH")


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
        raise unread(top) or _missing(top, written)
    return found


def unread(top: Path) -> CloudsyncError | None:
    """Why git says nothing of the repository at `top`; None where it does."""
    code, said = _ended(_command(top, "rev-parse", "--git-dir"), _environment(), SECONDS)
    if not code:
        return None
    where = shlex.quote(str(top))
    trust = f"if you trust it: git config --global --add safe.directory {where}"
    hint = trust if "dubious ownership" in said else f"try: git -C {where} status"
    return CloudsyncError(f"git does not read the repository {top}: {_reason(said)}", hint)


def _missing(top: Path, written: str) -> CloudsyncError:
    if shallow(top):
        hint = "this clone is shallow: git fetch --unshallow (in CI: fetch the whole history)"
    elif written == "HEAD":
        return CloudsyncError(f"nothing is committed in {top} yet", "commit the spec first: git add, git commit")
    else:
        hint = "fetch it first, or name another"
    return CloudsyncError(f"there is no commit {written!r} here", hint)


def renamed(top: Path, base: str, head: str) -> dict[str, str]:
    """Files that have another name in `head` (what is staged, when it is empty), by their name in `base`.
    CloudsyncError where that cannot be told, as in a partial clone."""
    options = ("-r", "-z", "-M", "-l1000", "--diff-filter=R", "--name-status", "--no-ext-diff", "--no-textconv")
    command = ("diff-tree", *options, base, head) if head else ("diff-index", "--cached", *options[1:], base)
    said = _said(top, *command, "--")
    if said is None:
        raise CloudsyncError(
            f"git does not say what was renamed since {base[:12]}",
            "if this is a partial clone: git fetch --refetch --no-filter",
        )
    words = said.split("\0")
    return dict(zip(words[1::3], words[2::3], strict=False))


@dataclass(frozen=True, slots=True)
class Staged:
    """What the index has of a file: the `name` of its content, empty where it has none, and how long the file was and
    when it was last written when git looked."""

    name: str = ""
    size: int = -1
    written: tuple[int, int] = (0, 0)

    def seen(self, status: os.stat_result) -> bool:
        """Whether the file is as it was then. What was written while git looked has no size in the index."""
        return (status.st_size, divmod(status.st_mtime_ns, _SECOND)) == (self.size, self.written)


def staged(top: Path, path: Path) -> Staged:
    """Of the file at `path`. It is not read, and no filter runs, as one may where git says itself what is modified."""
    said = _said(top, "ls-files", "--stage", "--debug", "-z", "--", str(path)) or ""
    found = _STAGED.match(said)
    if not found:
        return Staged()
    if not found["size"]:
        return Staged(found["name"])
    return Staged(found["name"], int(found["size"]), (int(found["seconds"]), int(found["rest"])))


def shared(top: Path) -> Path:
    """The folder that all worktrees of the repository keep things in."""
    return top / (_said(top, "rev-parse", "--git-common-dir") or ".git").strip()


def remotes(top: Path) -> tuple[str, ...]:
    """Names of the repositories that this one knows. CloudsyncError where git does not read this one."""
    said = _said(top, "remote")
    error = unread(top) if said is None else None
    if error:
        raise error
    return tuple((said or "").split())


def fetch(top: Path, remote: str, branch: str, plain: bool, seconds: int = FETCH_SECONDS) -> str:
    """The hash of the commit that `branch` of `remote` is at, and all that it stands on is here then.

    Nothing else changes: no branch, no file, no note of what was fetched. CloudsyncError when it cannot be had. `plain`
    are the ways on which anybody may change what is sent.
    """
    ours = f"refs/cloudsync/{remote}/{branch}"
    ways = ("ssh", "https", "file", *(("http", "git") if plain else ()))
    command = _command(top, *_FETCH, "--", remote, f"+refs/heads/{branch}:{ours}", ways=ways)
    code, said = _ended(command, _environment() | _asking_nobody(), seconds)
    if code:
        raise CloudsyncError(
            f"{remote}/{branch} cannot be fetched: {_reason(said)}", f"try: git -C {top} fetch {remote}"
        )
    return named(top, ours)


def line(top: Path, base: str, tip: str, most: int) -> list[str]:
    """Commits that `tip` stands on and `base` does not, newest first: of a merge only the side that it was made on."""
    words = ("rev-list", f"--max-count={most}", "--first-parent", tip, *([f"^{base}"] if base else []))
    said = _said(top, *words, "--")
    if said is None:
        raise CloudsyncError(f"git does not say what leads to {tip[:12]}", f"try: git -C {top} log {tip[:12]}")
    return said.split()


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


def _ended(command: Sequence[str], environment: Mapping[str, str], seconds: int) -> tuple[int, str]:
    """Its code and what it complained of. After `seconds` it is ended, with all that it has started."""
    try:
        with subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as running:
            try:
                said = running.communicate(timeout=seconds)[1]
            except BaseException as error:
                with suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL)
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                return 1, f"it took more than {seconds} seconds"
    except OSError as error:
        return 1, f"git does not run: {error.strerror}"
    return running.returncode, said.decode("utf-8", "replace")


def _reason(said: str) -> str:
    """What git or ssh said first, without a password that the URL may have."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = lines[0].removeprefix("fatal: ").removeprefix("error: ") if lines else "git does not say why"
    return printable(re.sub(r"//[^/@\s]*@", "//", first))[:300]


def _command(top: Path, *words: str, ways: Sequence[str] = ()) -> list[str]:
    """Nothing is fetched but by `ways`, not for a partial clone either."""
    return [
        *("git", "--no-optional-locks", "--no-replace-objects", "-c", "core.fsmonitor=false"),
        *("-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never"),
        *(word for way in ways for word in ("-c", f"protocol.{way}.allow=always")),
        *("-C", str(top), *words),
    ]


def _asking_nobody() -> dict[str, str]:
    """The person's own ways to get to a remote stay."""
    kept = {key: os.environ[key] for key in _WAYS if key in os.environ}
    return kept | {"GIT_TERMINAL_PROMPT": "0", "SSH_ASKPASS_REQUIRE": "never"}


def _environment() -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return environment | {"GIT_LITERAL_PATHSPECS": "1", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


def _read(lines: Sequence[str]) -> tuple[str, bool]:
    head = next((line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")), "")
    dirty = any(line and not line.startswith("# ") for line in lines)
    return ("", False) if head in ("", "(initial)") else (head, dirty)
