"""Whether a spec is older than what is deployed, in real repositories of the test."""

from pathlib import Path

import pytest

from cloudsync.model.document import Applied
from cloudsync.spec.lineage import lineage
from cloudsync.spec.load import load
from tests.spec.spec_text import HEAD, write
from tests.spec.test_git import committed, git


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "one").mkdir()
    path = write(tmp_path / "one", HEAD)
    git(tmp_path / "one", "init", "-q", "-b", "main")
    return path


def changed(spec: Path, word: str) -> str:
    """The new commit."""
    spec.write_text(f"{HEAD}# {word}\n")
    return committed(spec)


def deployed(commit: str, dirty: bool = False) -> Applied:
    return Applied(commit=commit, dirty=dirty, by="bob@desk", at="2025-01-02T03:04:05Z")


def said(spec: Path, applied: Applied | None) -> tuple[str, bool]:
    found = lineage(load(spec), applied)
    return (found.warning, found.refused) if found else ("", False)


def test_the_deployed_commit_and_later_ones_are_fine(spec: Path) -> None:
    first = committed(spec)
    assert said(spec, deployed(first)) == ("", False)
    changed(spec, "second")
    assert said(spec, deployed(first)) == ("", False)
    assert said(spec, None) == ("", False)
    assert said(spec, deployed("")) == ("", False)


def test_an_older_one_says_by_how_much_and_after_whom(spec: Path) -> None:
    first = committed(spec)
    changed(spec, "second")
    third = changed(spec, "third")
    git(spec.parent, "checkout", "-q", first)
    words, refused = said(spec, deployed(third))
    assert refused
    assert words == (
        f"the spec is of commit {first[:12]}, 2 commits older than {third[:12]}, which bob@desk applied at "
        "2025-01-02T03:04:05Z; pull first, or add --force to apply it all the same"
    )


def test_one_that_has_parted_says_so(spec: Path) -> None:
    first = committed(spec)
    theirs = changed(spec, "theirs")
    git(spec.parent, "checkout", "-q", first)
    changed(spec, "ours")
    words, refused = said(spec, deployed(theirs))
    assert refused
    assert "has parted from" in words
    assert "1 commit of that line not in it; merge or rebase first" in words


@pytest.mark.parametrize("commit", ["ab" * 20, "--output=/nowhere", "HEAD", "main", "x\n"])
def test_a_commit_that_is_not_here_has_to_be_fetched(spec: Path, commit: str) -> None:
    """Whatever a host says its commit is: only a hash is given to git."""
    committed(spec)
    words, refused = said(spec, deployed(commit))
    assert refused
    assert "this clone does not have that commit; `git fetch`" in words
    assert "\n" not in words


def test_a_shallow_clone_asks_for_its_history(spec: Path, tmp_path: Path) -> None:
    """Both of what it lacks, and of what it has without what joins it to the rest."""
    first = committed(spec)
    git(spec.parent, "checkout", "-q", "-b", "side")
    side = changed(spec, "side")
    git(spec.parent, "checkout", "-q", "main")
    for word in ("second", "third"):
        changed(spec, word)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", "--no-single-branch", f"file://{spec.parent}", str(clone))
    for commit in (first, side):
        words, refused = said(clone / "cloud.yaml", deployed(commit))
        assert refused
        assert "this shallow clone does not reach back to that commit; `git fetch --unshallow`" in words
    git(clone, "fetch", "-q", "--unshallow")
    assert said(clone / "cloud.yaml", deployed(first)) == ("", False)
    assert "has parted from" in said(clone / "cloud.yaml", deployed(side))[0]


def test_nothing_is_fetched_to_find_out(spec: Path, tmp_path: Path) -> None:
    """A partial clone would ask where it came from for any commit that it does not have."""
    committed(spec)
    git(spec.parent, "config", "uploadpack.allowFilter", "true")
    git(spec.parent, "config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{spec.parent}", str(clone))
    later = changed(spec, "later")
    assert "this clone does not have that commit" in said(clone / "cloud.yaml", deployed(later))[0]


def test_without_git_it_cannot_be_told(spec: Path, tmp_path: Path) -> None:
    first = committed(spec)
    (tmp_path / "copy").mkdir()
    copy = write(tmp_path / "copy", HEAD)
    words, refused = said(copy, deployed(first))
    assert refused
    assert "has no commit that Git tells" in words
    assert said(copy, deployed("")) == ("", False)


def test_local_changes_that_were_deployed_are_a_warning_only(spec: Path) -> None:
    first = committed(spec)
    words, refused = said(spec, deployed(first, dirty=True))
    assert not refused
    assert "with local changes on top of it; what of them was not committed since is undone here" in words
    spec.write_text(f"{HEAD}# changed\n")
    assert said(spec, deployed(first, dirty=True)) == ("", False)
    committed(spec)
    assert "with local changes" in said(spec, deployed(first, dirty=True))[0]
