"""Repositories of which git does not tell all: told as what they are, with the way out."""

import os
import subprocess
from pathlib import Path

import pytest

from cloudsync.model.document import Applied
from cloudsync.model.problem import CloudsyncError
from cloudsync.spec.follow import Branch
from cloudsync.spec.lineage import lineage
from cloudsync.spec.load import load
from cloudsync.spec.versions import versions
from tests.spec.repository import Repository
from tests.spec.spec_text import HEAD

DEPLOYED = Applied(commit="ab" * 20, by="bob@desk", at="2025-01-02T03:04:05Z")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.new(tmp_path / "repo")
    made.commit(cloud_yaml=HEAD)
    (made.folder / "cloud.yaml").rename(made.folder / "prod.yaml")
    made.commit(prod_yaml=HEAD + "# moved\n")
    return made


def cloned(repository: Repository, *words: str) -> Path:
    there = repository.folder.parent / "clone"
    repository.git("config", "uploadpack.allowFilter", "true")
    subprocess.run(["git", "clone", "-q", *words, f"file://{repository.folder}", str(there)], check=True)
    return there


def refused(folder: Path, span: str) -> tuple[str, str]:
    with pytest.raises(CloudsyncError) as caught:
        versions(folder / "prod.yaml", span)
    return caught.value.message, caught.value.hint


def test_a_shallow_clone_does_not_reach_back(repository: Repository) -> None:
    """As CI systems make them."""
    message, hint = refused(cloned(repository, "--depth", "1"), "HEAD~..HEAD")
    assert message == "there is no commit 'HEAD~' here"
    assert "git fetch --unshallow" in hint
    assert refused(repository.folder, "HEAD~9")[1] == "fetch it first, or name another"


def test_nothing_is_committed_yet(tmp_path: Path) -> None:
    made = Repository.new(tmp_path / "repo")
    (made.folder / "prod.yaml").write_text(HEAD)
    assert "nothing is committed in" in refused(made.folder, "HEAD")[0]


def test_a_partial_clone_does_not_take_what_moved_for_new(repository: Repository) -> None:
    there = cloned(repository, "--filter=blob:none")
    message, hint = refused(there, "HEAD~..HEAD")
    assert "git does not say what was renamed" in message
    Repository(there).git(*hint.partition(": git ")[2].split())
    was, now = versions(there / "prod.yaml", "HEAD~..HEAD")
    assert (was.file, now.file) == ("cloud.yaml", "prod.yaml")


def test_a_repository_that_git_does_not_read(repository: Repository) -> None:
    (repository.folder / ".git/config").write_text("[broken\n")
    message, hint = refused(repository.folder, "HEAD~..HEAD")
    assert message.startswith(f"git does not read the repository {repository.folder}: bad config line 1")
    assert hint == f"try: git -C {repository.folder} status"
    with pytest.raises(CloudsyncError, match="git does not read the repository"):
        Branch.of(repository.folder / "prod.yaml", "origin/main")


def test_that_no_commit_is_recorded_is_said_before_it_matters(repository: Repository) -> None:
    spec = repository.folder / "prod.yaml"
    assert lineage(load(spec), None) is None
    (repository.folder / ".git/config").write_text("[broken\n")
    for deployed in (None, Applied()):
        found = lineage(load(spec), deployed)
        assert found
        assert not found.refused
        assert found.warning.startswith("no commit is recorded: git does not read the repository")
    found = lineage(load(spec), DEPLOYED)
    assert found
    assert found.refused
    assert f"try: git -C {repository.folder} status" in found.hint


@pytest.mark.real
def test_a_repository_of_somebody_elses(repository: Repository) -> None:
    """As in a CI job's container, which runs as root in a checkout of another user's."""
    folder = repository.folder
    for path in (folder, folder / ".git"):
        os.chown(path, 65534, 65534)
    message, hint = refused(folder, "HEAD~..HEAD")
    assert "detected dubious ownership" in message
    assert hint == f"if you trust it: git config --global --add safe.directory {folder}"
