"""Two versions of a spec, each a commit or the working tree, both read as `load` reads one. `diff` asks.

What Git has says it all: no host is asked, no image opened (but one in the working tree that was touched since Git
looked), nothing of the spec run. `watch --git` has one of them read, with its images.
"""

import errno
import os
from dataclasses import replace
from pathlib import Path

from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.difference import Fate, Side
from cloudsync.model.problem import CloudsyncError, Place, Problem, SpecError
from cloudsync.spec.checkout import Checkout
from cloudsync.spec.commits import Commit, NoFileError
from cloudsync.spec.digests import Digests
from cloudsync.spec.document import LARGEST, Document, parse, read
from cloudsync.spec.draft import Draft
from cloudsync.spec.files import CIRCLE, FileProblem, Folder, Source, unlinked
from cloudsync.spec.former import Former
from cloudsync.spec.git import Objects, named, renamed
from cloudsync.spec.load import load_from
from cloudsync.spec.words import quote


@dataclass(frozen=True, slots=True)
class Version:
    """`commit` is empty for the working tree. `file` is the spec's path in the repository, `cloud` and `draft` None
    where there is none, or where it is broken by `problems`."""

    commit: str
    file: str
    cloud: Cloud | None = None
    document: Document | None = None
    problems: tuple[Problem, ...] = ()
    draft: Draft | None = None

    @property
    def side(self) -> Side:
        return Side(commit=self.commit, file=self.file)

    @property
    def absent(self) -> bool:
        """There is no spec, not even a broken one."""
        return self.document is None and not self.problems


def versions(path: Path, span: str) -> tuple[Version, Version]:
    """The spec at `path` in BASE and in HEAD of `BASE..HEAD`, or in BASE and the working tree; followed where it has
    another name in BASE. CloudsyncError when it is in neither."""
    place, top = place_of(path)
    base, head = ends(top, span)
    file = str(place.relative_to(top))
    with Objects(top) as objects:
        shelf = _Shelf(objects, top, path, place)
        now = shelf.version(head, file)
        was = shelf.beside(now, base, file)
        if was.absent and now.absent:
            where = head[:12] if head else "the working tree"
            raise CloudsyncError(f"there is no {file} in {base[:12]} nor in {where}", "name the spec with -f FILE")
        if was.absent:
            was = shelf.moved(base, head, file, was, now)
        elif now.absent:
            now = shelf.moved(base, head, file, now, was)
    return was, now


def version(path: Path, commit: str, digests: Digests) -> Version:
    """The spec at `path` as it is in a commit. Images that are files have to lie in the repository's folder."""
    place, top = place_of(path)
    with Objects(top) as objects:
        return _Shelf(objects, top, path, place, digests).version(commit, str(place.relative_to(top)), labelled=True)


def fate(was: Version, now: Version) -> Fate:
    """What became of the spec; it is not broken in `now`."""
    if now.cloud is None:
        return Fate.REMOVED
    if was.cloud is None:
        return Fate.UNREADABLE if was.problems else Fate.NEW
    return Fate.THERE if was.file == now.file else Fate.MOVED


def same_in(path: Path, one: Version, commit: str) -> bool:
    """Whether the spec at `path` says in another commit what it says in `one`; False where Git has not that commit."""
    place, top = place_of(path)
    try:
        with Objects(top) as objects:
            other = _Shelf(objects, top, path, place).version(named(top, commit), one.file, labelled=True)
    except CloudsyncError:
        return False
    return one.cloud is not None and other.cloud is not None and _said(one.cloud) == _said(other.cloud)


def _said(cloud: Cloud) -> Cloud:
    """Without where it is said, and in how many words."""
    return replace(cloud, places={}, digest="")


def ends(top: Path, span: str) -> tuple[str, str]:
    """Hashes of BASE and HEAD; of HEAD an empty one for the working tree."""
    base, dots, head = parted(span)
    return named(top, base or "HEAD"), named(top, head or "HEAD") if dots else ""


def parted(span: str) -> tuple[str, str, str]:
    """BASE, the dots if there are any, and HEAD. CloudsyncError for what is no span whatever commits there are."""
    base, dots, head = span.partition("..")
    if head.startswith("."):
        since = f"$(git merge-base {base or 'HEAD'} {head[1:] or 'HEAD'})..{head[1:] or 'HEAD'}"
        raise CloudsyncError(f"{span!r} has three dots", f"write BASE..HEAD; for a branch since it parted: {since}")
    if ".." in head:
        raise CloudsyncError(f"{span!r} has more than two ends", "write BASE..HEAD")
    return base, dots, head


def place_of(path: Path) -> tuple[Path, Path]:
    """Where the spec is by the name that it was given, else what that leads to; and the repository around it."""
    for place in (unlinked(path.absolute().parent) / path.name, unlinked(path)):
        _confirm_reached(path, place.parent)
        folder = Folder.around(place.parent)
        if folder.git:
            return place, folder.fence
    raise CloudsyncError(
        f"{path} is not in a Git repository", "a diff compares what Git knows: git init, and commit it"
    )


def _confirm_reached(path: Path, folder: Path) -> None:
    """SpecError where links on the way to the spec's folder lead in a circle: nothing in Git can be named by them."""
    try:
        folder.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            hint = "name the file with -f FILE"
            raise SpecError([Problem(f"{quote(str(path))[1:-1]}: {CIRCLE}", Place(str(path), 1, 1), hint)]) from None


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Versions of one spec. `path` is what the user called it, `place` where that is. Without `digests` no image is
    opened."""

    objects: Objects
    top: Path
    path: Path
    place: Path
    digests: Digests | None = None

    def beside(self, other: Version, commit: str, file: str) -> Version:
        """The version of a commit, which shares with another what is the same in both. One with problems is read by
        itself: then all has to be where it says."""
        if other.document and other.draft and other.cloud:
            former = Former(other.document, other.draft, other.cloud)
            found = self.version(commit, file, labelled=True, former=former)
            if not found.problems:
                return found
        return self.version(commit, file, labelled=True)

    def version(self, commit: str, file: str, labelled: bool = False, former: Former | None = None) -> Version:
        """Problems that are `labelled` say which commit they are of: the reader has another before them."""
        at = self.top / file
        called = self.path if at == self.place else at
        label = f"{commit[:12]}:{file}" if labelled else str(called)
        document: Document | None = None
        try:
            document, source = self._opened(commit, at, label, former) if commit else self._here(at, called)
            cloud, draft = load_from(document, source, at, self.digests, former)
            return Version(commit, file, cloud, document, draft=draft)
        except NoFileError:
            return Version(commit, file)
        except FileProblem as error:
            problem = Problem(str(error), Place(label, 1, 1), error.hint)
            return Version(commit, file, None, document, (problem,))
        except SpecError as error:
            return Version(commit, file, None, document, error.problems)

    def _here(self, at: Path, called: Path) -> tuple[Document, Source]:
        if not os.path.lexists(at):
            raise NoFileError("there is no spec")
        return read(called, share=True), Checkout(Folder.of(at), self.objects)

    def _opened(self, commit: str, at: Path, label: str, former: Former | None) -> tuple[Document, Source]:
        found = Commit(self.objects, commit, self.top, at.parent, self.digests)
        real, data = found.take(at.name, LARGEST)
        return parse(label, data, former.document if former else None, share=True), replace(found, home=real.parent)

    def moved(self, base: str, head: str, file: str, missing: Version, other: Version) -> Version:
        """The version that `missing` is, by the name that the spec had or has there, beside the `other` one."""
        names = renamed(self.top, base, head)
        if missing.commit == base:
            old = next((one for one, new in names.items() if new == file), "")
            return self.beside(other, base, old) if old else missing
        return self.version(head, names[file]) if file in names else missing
