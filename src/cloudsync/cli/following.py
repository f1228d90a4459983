"""`watch --git`: the branch as the source of what is wanted, and who is told what became of its commits."""

from functools import partial
from pathlib import Path

from cloudsync.cli.keygen import confirm_signers, signer
from cloudsync.cli.say import say
from cloudsync.model.dataclass import dataclass
from cloudsync.spec.files import unlinked
from cloudsync.spec.follow import Branch, Follower, Verify, confirm_apart
from cloudsync.watch.branch import BranchSource
from cloudsync.watch.happening import Observer

_EVERY = 60.0
"""Seconds between two fetches where the person says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """How a branch, REMOTE/BRANCH, is followed. With `signers`, only what one of them has signed is taken."""

    branch: str
    signers: Path | None = None
    status_file: Path | None = None
    status_hook: str | None = None

    def source(self, path: Path, every: float | None) -> BranchSource:
        """CloudsyncError when there is no such branch, or nobody who may sign."""
        branch = Branch.of(path, self.branch)
        return BranchSource(Follower(branch, self._verify(branch)), every or _EVERY, _complain)

    def observers(self, source: BranchSource) -> list[Observer]:
        if not (self.status_file or self.status_hook):
            return []
        from cloudsync.watch.herald import Herald
        from cloudsync.watch.hook import words

        if self.status_file:
            from cloudsync.cli.store import confirm_ours

            confirm_ours(unlinked(self.status_file), self.status_file, "commit", "no commit's status")
        command = words(self.status_hook) if self.status_hook else ()
        return [Herald(self.branch, lambda: source.commit, self.status_file, command, _complain)]

    def _verify(self, branch: Branch) -> Verify | None:
        if self.signers is None:
            return None
        confirm_signers(self.signers)
        confirm_apart(self.signers, branch)
        return partial(_signer, self.signers)


def _signer(allowed: Path, content: bytes, signature: str) -> str:
    return signer(content, signature, allowed, "git")


def _complain(words: str) -> None:
    say(f"warning: {words}")
