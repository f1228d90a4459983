"""A remote with a branch that is followed from a clone of it, and what comes of that."""

import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from cloudsync.cli.keygen import signer
from cloudsync.model.document import Applied
from cloudsync.spec.follow import Branch, Follower, RefusedError
from tests.spec.repository import Repository
from tests.spec.spec_text import HEAD, KEY

TINY = "{tiny: {source: 'https://example.org/tiny.raw', sha256: " + "a" * 64 + "}}"
SPEC = HEAD.replace(f"images: {TINY}\n", "") + "keypairs: {alice: {public_key_file: alice.pub}}\n"
SPEC += f"images:\n  tiny: {TINY.removeprefix('{tiny: ')[:-1]}\n"


def applied(commit: str) -> Applied:
    return Applied(commit=commit, by="bob@desk", at="2025-01-02T03:04:05Z")


@dataclass(frozen=True)
class Site:
    """`desk` is where people work, `here` the clone that is watched."""

    desk: Repository
    remote: Path
    here: Path

    @classmethod
    def new(cls, folder: Path) -> "Site":
        remote = folder / "remote.git"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", "--template=", str(remote)], check=True)
        made = cls(Repository.new(folder / "desk"), remote, folder / "here")
        made.desk.git("remote", "add", "origin", str(remote))
        (made.desk.folder / "alice.pub").write_text(KEY)
        made.push(cloud_yaml=SPEC)
        subprocess.run(["git", "clone", "-q", "--template=", str(remote), str(made.here)], check=True)
        return made

    def push(self, *words: str, **files: str | None) -> str:
        """A commit of the files, pushed."""
        made = self.desk.commit(**files)
        self.publish(*words)
        return made

    def publish(self, *words: str) -> None:
        self.desk.git("push", "-q", *words, "origin", "HEAD:main")

    def branch(self, written: str = "origin/main") -> Branch:
        return Branch.of(self.here / "cloud.yaml", written)

    def follower(self, signers: Path | None = None) -> Follower:
        verify = None if signers is None else partial(_signer, signers)
        return Follower(self.branch(), verify)


def _signer(allowed: Path, content: bytes, signature: str) -> str:
    return signer(content, signature, allowed, "git")


def taken(follower: Follower, deployed: str = "") -> str:
    """The branch's newest commit, when it may be applied."""
    tip = follower.fetch()
    assert follower.cloud(tip).commit == tip
    follower.confirm(tip, applied(deployed) if deployed else None)
    return tip


def refused(follower: Follower, deployed: str = "") -> str:
    with pytest.raises(RefusedError) as caught:
        taken(follower, deployed)
    assert caught.value.hint
    return caught.value.message
