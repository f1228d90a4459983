"""Files that a spec refers to: found only inside the Git repository (or the spec's folder), and read with a limit.
`attach` calls it. Images are the exception: a person's may be anywhere. commits.py has the same for a commit."""

import errno
import os
import stat
from itertools import islice
from pathlib import Path
from typing import Protocol

from cloudsync.model.dataclass import dataclass
from cloudsync.spec.words import count, quote

CIRCLE = os.strerror(errno.ELOOP).lower()
"""What the system says of links that lead to one another."""

_MOST_LINKS = 40


class FileProblem(ValueError):
    """The file cannot be used; `hint` is what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class LargeProblem(FileProblem):
    """It holds more than may be taken."""


class Source(Protocol):
    """Where a spec's files come from. Paths of images count from `home`."""

    @property
    def home(self) -> Path: ...

    def take(self, written: str, limit: int) -> tuple[Path, bytes]:
        """The file that `written` names, and its content. FileProblem when there is none, or it holds more."""
        ...

    def image(self, written: str) -> Path:
        """The file of this machine that `written` names, for a guest's disk. FileProblem when there is none."""
        ...

    def blob(self, written: str) -> str:
        """What Git calls the content of the file that `written` names; empty where Git does not have it."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the spec lives. `fence` is the Git top level, or `home` where there is no Git; both without links.

    What Git keeps for itself is outside too: it may hold credentials.
    """

    home: Path
    fence: Path
    git: bool

    @classmethod
    def of(cls, spec: Path) -> "Folder":
        return cls.around(unlinked(spec).parent)

    @classmethod
    def around(cls, home: Path) -> "Folder":
        """That of a spec in the folder `home`, which has no links in it."""
        for folder in (home, *home.parents):
            if (folder / ".git").exists():
                return cls(home, folder, True)
        return cls(home, home, False)

    def find(self, written: str) -> Path:
        """The file that `written` names, links followed. FileProblem when it is missing or outside the fence."""
        path = locate(self.home, written)
        if not path.is_relative_to(self.fence):
            where = f"the Git repository {self.fence}" if self.git else f"the spec's folder {self.home}"
            raise FileProblem(f"{quote(written)} is outside {where}", "copy the file in, and commit it")
        if any(part.casefold() == ".git" for part in path.relative_to(self.fence).parts):
            raise FileProblem(f"{quote(written)} belongs to Git itself", "name a file that can be committed")
        return path

    def take(self, written: str, limit: int) -> tuple[Path, bytes]:
        path = self.find(written)
        return path, read(path, limit, written)

    def image(self, written: str) -> Path:
        return locate(self.home, written)

    def blob(self, _: str, /) -> str:
        """Git is not asked: what is there is what counts."""
        return ""


def unlinked(path: Path) -> Path:
    """Where `path` leads, as far as there is something. Links that lead in a circle stay: whoever opens it is told. Of
    them Path.resolve() makes a RuntimeError up to Python 3.12."""
    return Path(os.path.realpath(path))


def confirm_inside(spec: Path) -> None:
    """FileProblem when links lead a spec out of the Git repository that it seems to be in, or into what Git keeps for
    itself. A stranger's commit may have such links, and lines of what is read as a spec are shown.

    A link that is in no repository may lead into one: that is its owner's own.
    """
    place = spec
    for _ in range(_MOST_LINKS):
        place = Path(os.path.abspath(place))  # noqa: PTH100 - links are kept: they are what is looked at
        _confirm(place)
        if not place.is_symlink():
            break
        place = place.parent / place.readlink()


def _confirm(seems: Path) -> None:
    top = next((folder for folder in seems.parents if (folder / ".git").exists()), None)
    if top is None or not seems.exists():
        return
    fence, written = top.resolve(), seems.relative_to(top)
    if seems.resolve() == fence / written:
        return
    try:
        Folder(fence, fence, True).find(str(written))
    except FileProblem as error:
        raise FileProblem(f"a link: {error}", f"if it is meant: -f {seems.resolve()}") from None


def locate(home: Path, written: str) -> Path:
    """The regular file that `written` names, relative to `home`, links followed."""
    if not written or "\0" in written:
        raise FileProblem("no file is named here", "write a path relative to the spec")
    if "\n" in written or written.startswith("#"):
        raise FileProblem("this is a text, not the path of a file", "write a path relative to the spec")
    try:
        path = (home / written).resolve(strict=True)
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise FileProblem(f"there is no file {quote(written)}", near(home, written)) from None
    except (OSError, RuntimeError) as error:
        raise FileProblem(f"{quote(written)}: {_reason(error)}") from None
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise FileProblem(f"{quote(written)} is {what}", "name a file")
    return path


def near(home: Path, written: str) -> str:
    """A hint: a file with a similar name in the same folder, else where the path was looked up."""
    from cloudsync.spec.suggest import nearest

    wanted = Path(written)
    folder = home / wanted.parent
    try:
        present = [one.name for one in islice(folder.iterdir(), 10_000) if not one.is_dir()]
    except OSError:
        return f"there is no folder {quote(str(folder))}"
    found = nearest(wanted.name, present)
    # A common ending makes names alike that are not.
    if found is None or nearest(wanted.stem, [Path(found).stem], cutoff=0.5) is None:
        return f"it was looked for in {folder}"
    return f"did you mean {quote(str(wanted.parent / found))}?"


def given(path: Path, limit: int) -> bytes:
    """All of a file that a person names for themselves: it may be a pipe that somebody writes to. FileProblem where it
    is one that nobody does, or a device, which may never end; LargeProblem where it holds more than `limit` bytes."""
    # A pipe that nobody writes to would never open otherwise.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as stream:
        found = os.fstat(stream.fileno())
        device = stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)
        os.set_blocking(stream.fileno(), True)
        data = b"" if device or found.st_size > limit else stream.read(limit + 1)
    if max(len(data), found.st_size) > limit:
        raise LargeProblem(f"{quote(str(path))} holds more than {count(limit, 'byte')}")
    if not data and not stat.S_ISREG(found.st_mode):
        raise FileProblem(f"{quote(str(path))} is not a regular file", "name a file")
    return data


def way_out(path: Path, error: OSError) -> str:
    """A hint for somebody who has named `path` as a spec, which cannot be opened."""
    if error.errno == errno.EISDIR:
        inside = path / "cloud.yaml"
        return f"name the file in it: -f {inside}" if inside.is_file() else "name the file in it with -f FILE"
    if error.errno == errno.ELOOP:
        return "these links lead to one another: name the file itself with -f FILE"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "let this user read it, and the folders above it"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "name the file with -f FILE, or write one with: cloudsync init"
    return "name another file with -f FILE"


def read(path: Path, limit: int, written: str) -> bytes:
    """At most `limit` bytes of a file that `locate` has found; FileProblem when it holds more."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as stream:
            data = stream.read(limit + 1)
            size = os.fstat(stream.fileno()).st_size
    except OSError as error:
        raise FileProblem(f"{quote(written)}: {_reason(error)}") from None
    if len(data) > limit:
        raise FileProblem(f"{quote(written)} has {count(size, 'byte')}, and at most {limit} are taken")
    return data


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else CIRCLE
    return (text or "cannot be read").lower()
