"""A spec's files as they are in the working tree, with what Git calls those that it has: versions.py and `load` compare
that with a commit.

A file that is as Git last saw it is not opened; only one that was touched since is.
"""

from collections.abc import Iterable
from pathlib import Path

from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError
from cloudsync.spec.blobs import stored
from cloudsync.spec.commits import Commit
from cloudsync.spec.digests import Digests, cache_path
from cloudsync.spec.files import FileProblem, Folder
from cloudsync.spec.git import Objects, staged


def differs(folder: Folder, commit: str, written: Iterable[str]) -> bool:
    """Whether one of these files is in the commit, or is to come into the next, and is not as it is there, or whether
    that cannot be told. git would read all of it to say so, and run whatever filters the repository has."""
    with Objects(folder.fence) as objects:
        here, there = Checkout(folder, objects), Commit(objects, commit, folder.fence, folder.home)
        try:
            return any(here.blob(one) != there.blob(one) for one in written)
        except CloudsyncError:
            return True


@dataclass(frozen=True, slots=True)
class Checkout:
    """Implements files.Source."""

    folder: Folder
    objects: Objects

    @property
    def home(self) -> Path:
        return self.folder.home

    def take(self, written: str, limit: int) -> tuple[Path, bytes]:
        return self.folder.take(written, limit)

    def image(self, written: str) -> Path:
        return self.folder.image(written)

    def blob(self, written: str) -> str:
        try:
            path = self.folder.find(written)
        except FileProblem:
            return ""
        found = staged(self.folder.fence, path)
        if not found.name or found.seen(path.stat()):
            return found.name
        digests = Digests(cache_path())
        try:
            return stored(path, found.name, self.objects, digests)
        except OSError:
            return ""
        finally:
            digests.save()
