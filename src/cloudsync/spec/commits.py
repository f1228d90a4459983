"""A spec's files as they are in a commit, with the links between them: versions.py reads through it.

Nothing is checked out. Of a stranger's commit nothing leads outside of it: no `..`, no link, no submodule.
"""

import hashlib
import os
import shlex
from dataclasses import field
from pathlib import Path

from cloudsync.model.dataclass import dataclass
from cloudsync.spec.blobs import itself, kept, meant, stored
from cloudsync.spec.digests import Digests, cache_path
from cloudsync.spec.files import CIRCLE, FileProblem, Folder
from cloudsync.spec.git import Objects
from cloudsync.spec.words import count, quote

_LARGEST_FOLDER = 64 << 20
_LONGEST_LINK = 4096
_MOST_LINKS = 40
_FOLDER, _LINK, _OTHER = "40000", "120000", "160000"

Parts = tuple[str, ...]
Entries = dict[str, tuple[str, str]]


class NoFileError(FileProblem):
    """There is nothing of that name."""


@dataclass(frozen=True, slots=True)
class Commit:
    """`top` is the folder that the commit is of, `home` the one that written paths count from."""

    objects: Objects
    name: str
    top: Path
    home: Path
    digests: Digests | None = None
    _folders: dict[Parts, Entries] = field(default_factory=dict)

    def take(self, written: str, limit: int) -> tuple[Path, bytes]:
        """The file's real path, as if it were checked out, and its content."""
        parts, name = self._file(written)
        found = self.objects.read(name, limit)
        if isinstance(found, bytes) and meant(found):
            found = self._kept(written, meant(found), limit)
        if isinstance(found, int):
            raise FileProblem(f"{quote(written)} has {count(found, 'byte')}, and at most {limit} are taken")
        return self.top.joinpath(*parts), found

    def _kept(self, written: str, digest: str, limit: int) -> bytes | int:
        """What a pointer of Git LFS stands for, where that was fetched; only a size where that is above `limit`."""
        try:
            found = kept(self.top, digest, limit)
        except OSError:
            found = b""
        if len(found) > limit:
            return len(found)
        if hashlib.sha256(found).hexdigest() != digest:
            raise FileProblem(
                f"{quote(written)} is kept by Git LFS, and what commit {self.name[:12]} has of it is not here",
                f"git -C {shlex.quote(str(self.top))} lfs fetch --all",
            )
        return found

    def image(self, written: str) -> Path:
        """Where it is checked out, as it is in the commit; or not committed, as images seldom are, but in the
        repository's folder: a guest may read all of its disk, and a commit of a stranger's must not put this machine's
        keys on one."""
        blob = self.blob(written)
        try:
            path = Folder(self.home, self.top, True).find(written)
            if blob:
                self._confirm(written, path, blob)
        except OSError as error:
            raise FileProblem(f"{quote(written)}: {(error.strerror or 'cannot be read').lower()}") from None
        except FileProblem as error:
            missing = blob and not os.path.lexists(self.home / written)
            raise FileProblem(str(error), self._pull if missing else error.hint) from None
        return path

    def blob(self, written: str) -> str:
        try:
            return self._file(written)[1]
        except FileProblem:
            return ""

    def _confirm(self, written: str, path: Path, blob: str) -> None:
        """FileProblem unless the file here is the commit's."""
        digests = self.digests or Digests(cache_path())
        here = stored(path, blob, self.objects, digests)
        if here == blob:
            return
        if itself(path, blob, digests) == blob:
            raise FileProblem(
                f"{quote(written)} is a pointer of Git LFS in the working tree, not the image",
                f"git -C {shlex.quote(str(self.top))} lfs pull",
            )
        raise FileProblem(
            f"{quote(written)} is another file in the working tree than in commit {self.name[:12]}: "
            f"blob {here[:12]}, not {blob[:12]}",
            self._pull,
        )

    @property
    def _pull(self) -> str:
        return f"the working tree is behind or was changed: git -C {shlex.quote(str(self.top))} pull"

    def _file(self, written: str) -> tuple[Parts, str]:
        here, todo = self._start(written)
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                if not here:
                    raise self._outside(written)
                here.pop()
            elif part not in ("", "."):
                mode, name = self._entries(tuple(here)).get(part, ("", ""))
                if mode == _LINK:
                    links += 1
                    todo += reversed(self._target(written, name, links).split("/"))
                elif mode == _FOLDER:
                    here.append(part)
                elif mode.startswith("100") and not any(todo):
                    return (*here, part), name
                else:
                    raise self._missing(written, mode, links > 0)
        raise FileProblem(f"{quote(written)} is a folder", "name a file")

    def _start(self, written: str) -> tuple[list[str], list[str]]:
        """Where to begin, and the parts of the way from there, last first."""
        if not written or "\0" in written:
            raise FileProblem("no file is named here", "write a path relative to the spec")
        if "\n" in written or written.startswith("#"):
            raise FileProblem("this is a text, not the path of a file", "write a path relative to the spec")
        if not written.startswith("/"):
            return list(self.home.relative_to(self.top).parts), written.split("/")[::-1]
        if not Path(written).is_relative_to(self.top):
            raise self._outside(written)
        return [], list(Path(written).relative_to(self.top).parts)[::-1]

    def _target(self, written: str, name: str, links: int) -> str:
        found = self.objects.read(name, _LONGEST_LINK)
        if isinstance(found, int) or links > _MOST_LINKS:
            raise FileProblem(f"{quote(written)}: {CIRCLE}")
        target = found.decode("utf-8", "surrogateescape")
        if target.startswith("/"):
            raise self._outside(written)
        return target

    def _entries(self, folder: Parts) -> Entries:
        """Mode and hash of all that is in a folder, by name; nothing where the commit has no such folder."""
        if folder not in self._folders:
            mode, name = self._entries(folder[:-1]).get(folder[-1], ("", "")) if folder else (_FOLDER, self._tree)
            if mode != _FOLDER:
                return {}
            found = self.objects.read(name, _LARGEST_FOLDER)
            if isinstance(found, int):
                raise FileProblem(f"the folder {quote('/'.join(folder))} has too many files")
            self._folders[folder] = _parsed(found, len(self.name) // 2)
        return self._folders[folder]

    @property
    def _tree(self) -> str:
        return f"{self.name}^{{tree}}"

    def _outside(self, written: str) -> FileProblem:
        return FileProblem(
            f"{quote(written)} is outside the Git repository {self.top}", "copy the file in, and commit it"
        )

    def _missing(self, written: str, mode: str, linked: bool) -> FileProblem:
        if linked:
            return FileProblem(f"{quote(written)} is a link to nothing in commit {self.name[:12]}", "commit the file")
        if mode == _OTHER:
            return FileProblem(f"{quote(written)} is in a submodule, another repository", "copy the file in")
        return NoFileError(f"there is no file {quote(written)} in commit {self.name[:12]}", "commit it")


def _parsed(data: bytes, width: int) -> Entries:
    """Git's own form: mode, space, name, a zero byte, and the hash as bytes."""
    found: Entries = {}
    at = 0
    while at < len(data):
        end = data.index(b"\0", at)
        mode, _, name = data[at:end].partition(b" ")
        at = end + 1 + width
        found[name.decode("utf-8", "surrogateescape")] = (mode.decode(), data[end + 1 : at].hex())
    return found
