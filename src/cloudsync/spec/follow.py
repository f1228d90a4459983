"""A branch of a remote as what is to be applied: may its commit be, and which cloud is in it. `watch --git` asks.

What was applied last is known from the hosts, so that no watcher goes back, whenever it was started. A commit is read
out of Git's store: the person's files stay as they are, and nothing of the commit is run.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import Applied
from cloudsync.model.problem import CloudsyncError, SpecError
from cloudsync.spec.digests import Digests, cache_path
from cloudsync.spec.document import Document, read
from cloudsync.spec.draft import draft
from cloudsync.spec.files import unlinked
from cloudsync.spec.git import Objects, apart, fetch, line, named, remotes, shallow
from cloudsync.spec.inroads import inroads
from cloudsync.spec.lineage import called
from cloudsync.spec.signature import signed
from cloudsync.spec.versions import place_of, version
from cloudsync.spec.words import count, printable

MOST = 500
"""New commits of a branch whose signatures are looked at."""

_LARGEST = 1 << 20
_BY_HAND = "if it is meant, apply it by hand: cloudsync apply --force"

Verify = Callable[[bytes, str], str]
"""Who signed, from what was signed and the armoured ssh signature. CloudsyncError when it is nobody who may."""


class RefusedError(CloudsyncError):
    """The commit is not applied; what runs stays as it is."""


@dataclass(frozen=True, slots=True)
class Branch:
    """`path` is the spec as the person called it, `top` the repository it is in."""

    path: Path
    top: Path
    remote: str
    name: str

    @classmethod
    def of(cls, path: Path, written: str) -> "Branch":
        """`written` is REMOTE/BRANCH. CloudsyncError when there is no such remote."""
        _, top = place_of(path)
        known = remotes(top)
        found = max((one for one in known if written.startswith(f"{one}/")), key=len, default="")
        name = written.removeprefix(f"{found}/")
        confirm_branch(written)
        if not found or not name:
            there = ", ".join(f"{one}/BRANCH" for one in known) or "no remote is known here: git remote add origin URL"
            raise CloudsyncError(f"{printable(written)!r} is not a branch of a remote", there)
        return cls(path, top, found, name)

    @property
    def title(self) -> str:
        return f"{self.remote}/{self.name}"


def confirm_branch(written: str) -> None:
    """CloudsyncError unless it can be REMOTE/BRANCH, whatever remotes there are."""
    remote, _, name = written.partition("/")
    if not remote or not name or not written.isprintable() or set(name) & set(" :*^?[\\~"):
        raise CloudsyncError(f"{printable(written)!r} is not REMOTE/BRANCH", "for example origin/main")


class Follower:
    """Has one branch followed. With `verify` only what is signed is taken."""

    def __init__(self, branch: Branch, verify: Verify | None = None) -> None:
        self.branch = branch
        self._verify = verify
        self._taken, self._upon = "", ""

    def fetch(self) -> str:
        """The hash of the branch's newest commit. CloudsyncError when the remote cannot be asked."""
        return fetch(self.branch.top, self.branch.remote, self.branch.name, plain=self._verify is not None)

    def cloud(self, tip: str) -> Cloud:
        """What that commit describes; no host of it may be asked before. RefusedError when it is not signed or has no
        such spec, SpecError with its problems."""
        self._confirm_signed([tip])
        branch = self.branch
        found = version(branch.path, tip, Digests(cache_path()))
        if found.problems:
            raise SpecError(found.problems)
        if found.cloud is None or found.document is None:
            raise RefusedError(f"{branch.title} has no {found.file} in commit {tip[:12]}", "name the spec with -f FILE")
        problems = [found.document.problem(one) for one in inroads(found.cloud.hosts, _known(branch))]
        if problems:
            raise SpecError(problems)
        return replace(found.cloud, commit=tip, dirty=False)

    def confirm(self, tip: str, deployed: Applied | None) -> None:
        """RefusedError unless that commit goes on from what the hosts know to be applied, and from what was confirmed
        before, with every step signed."""
        base = deployed.commit if deployed else ""
        if self._taken and base in (self._upon, self._taken):
            self._confirm_onward(tip, self._taken, f"{self._taken[:12]}, which was there before")
        if base and deployed:
            self._confirm_onward(tip, base, called(deployed))
        if self._verify is not None and base != tip:
            self._confirm_line(base, tip)
        self._taken, self._upon = tip, base

    def _confirm_onward(self, tip: str, base: str, what: str) -> None:
        gap = apart(self.branch.top, tip, base) if tip != base else (0, 0)
        found = refusal(self.branch.title, tip, what, gap, gap is None or (all(gap) and shallow(self.branch.top)))
        if found is not None:
            raise found

    def _confirm_line(self, base: str, tip: str) -> None:
        """A merge speaks for what it brings in, so its own side of the branch is what has to be signed. Before the
        first apply that is the newest commit: what it holds is what is applied."""
        commits = line(self.branch.top, base, tip, MOST + 1 if base else 1)
        if len(commits) > MOST:
            raise RefusedError(f"{self.branch.title} has more than {MOST} new commits to be checked", _BY_HAND)
        self._confirm_signed(commits or [tip])

    def _confirm_signed(self, commits: Sequence[str]) -> None:
        if self._verify is None:
            return
        with Objects(self.branch.top) as objects:
            for name in commits:
                found = objects.read(name, _LARGEST)
                if isinstance(found, int):
                    raise RefusedError(f"commit {name[:12]} is larger than any commit", "look at it")
                self._confirm_one(name, found)

    def _confirm_one(self, name: str, commit: bytes) -> None:
        if self._verify is None:
            return
        one = signed(name, commit)
        what = f"commit {name[:12]} of {self.branch.title}"
        hint = "sign it (`git commit -S`, with gpg.format=ssh), or merge it with a signed commit"
        if not one.signature:
            raise RefusedError(f"{what} is not signed", hint)
        if not one.by_ssh:
            raise RefusedError(f"{what} is signed, but not with an ssh key", hint)
        try:
            self._verify(one.content, one.signature)
        except CloudsyncError as error:
            raise RefusedError(f"{what}: {error.message}", hint) from None


def refusal(title: str, tip: str, what: str, gap: tuple[int, int] | None, unknown: bool) -> RefusedError | None:
    """Why commit `tip` of the branch `title` does not go on from `what` it is held against; `gap` is how many commits
    only the one stands on, and only the other. `unknown` where the clone has not all that it takes to tell."""
    mine = f"{title} is at {tip[:12]}"
    if gap is None or unknown:
        return RefusedError(
            f"{mine}, and it cannot be seen whether that is older than {what}",
            "this clone does not reach back to that commit: `git fetch --unshallow`, or fetch the branch it is on",
        )
    ahead, behind = gap
    if not behind:
        return None
    if not ahead:
        return RefusedError(f"{mine}, {count(behind, 'commit')} older than {what}", _BY_HAND)
    return RefusedError(
        f"{mine}, which does not go on from {what}: was it pushed by force?",
        f"merge or rebase, so that the branch has that commit; {_BY_HAND}",
    )


def confirm_apart(signers: Path, branch: Branch) -> None:
    """CloudsyncError when the file that says who may sign comes with the commits that it is to judge."""
    if unlinked(signers).is_relative_to(branch.top):
        raise CloudsyncError(
            f"{signers} is in the repository itself: who pushes to it could add a key", "keep a copy outside of it"
        )


def _known(branch: Branch) -> frozenset[str]:
    """URIs of hosts in the file here, whatever else is wrong with it; while it cannot be read, in the commit that is
    checked out."""
    try:
        document: Document | None = read(branch.path)
        if document and not document.complete:
            document = version(branch.path, named(branch.top, "HEAD"), Digests(cache_path())).document
        return frozenset(host.uri for host in draft(document)[0].hosts.values()) if document else frozenset()
    except CloudsyncError:
        return frozenset()
