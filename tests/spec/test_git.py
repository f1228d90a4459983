"""The commit a spec comes from: a real repository in a folder of the test."""

import subprocess
from pathlib import Path

import pytest

from cloudsync.spec.git import commit
from cloudsync.spec.load import load
from tests.spec.spec_text import HEAD, KEY, write

TEXT = HEAD + "keypairs: {alice: {public_key_file: keys/alice.pub}}\n"

WITH_IMAGE = TEXT.replace("'https://example.org/tiny.raw', sha256: " + "a" * 64, "'file:blank.raw'")


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "sub/keys").mkdir(parents=True)
    (tmp_path / "sub/keys/alice.pub").write_text(KEY)
    path = write(tmp_path / "sub", TEXT)
    git(tmp_path, "init", "-q", "-b", "main")
    return path


def committed(spec: Path) -> str:
    git(spec.parent, "add", "-A")
    git(spec.parent, "commit", "-q", "-m", "spec")
    return git(spec.parent, "rev-parse", "HEAD")


def test_clean_then_changed(spec: Path) -> None:
    head = committed(spec)
    cloud = load(spec)
    assert (cloud.commit, cloud.dirty) == (head, False)
    (spec.parent / "other").write_text("not a file of the spec")
    assert not load(spec).dirty
    (spec.parent / "keys/alice.pub").write_text(KEY + "2")
    assert (load(spec).commit, load(spec).dirty) == (head, True)


def test_new_and_ignored_files_are_not_in_the_commit(spec: Path) -> None:
    (spec.parent / ".gitignore").write_text("keys/\n")
    committed(spec)
    assert load(spec).dirty
    git(spec.parent, "add", "-f", "keys/alice.pub")
    committed(spec)
    assert not load(spec).dirty


def test_an_image_that_git_has_counts(spec: Path) -> None:
    spec.write_text(WITH_IMAGE)
    image = spec.parent / "blank.raw"
    image.write_bytes(b"a" * 512)
    committed(spec)
    assert not load(spec).dirty
    image.write_bytes(b"a" * 512)
    assert not load(spec).dirty, "written again, and the same"
    image.write_bytes(b"b" * 512)
    assert load(spec).dirty
    git(spec.parent, "add", "-A")
    assert load(spec).dirty, "staged is not committed"
    committed(spec)
    assert not load(spec).dirty


def test_an_image_that_git_does_not_have_does_not(spec: Path) -> None:
    spec.write_text(WITH_IMAGE)
    (spec.parent / ".gitignore").write_text("*.raw\n")
    (spec.parent / "blank.raw").write_bytes(b"a" * 512)
    committed(spec)
    assert not load(spec).dirty
    git(spec.parent, "add", "-f", "blank.raw")
    assert load(spec).dirty, "it comes into the next commit"


def test_before_the_first_commit(spec: Path) -> None:
    assert (load(spec).commit, load(spec).dirty) == ("", False)


def test_a_worktree(spec: Path, tmp_path: Path) -> None:
    head = committed(spec)
    other = tmp_path.with_name(tmp_path.name + "-worktree")
    git(spec.parent, "worktree", "add", "-q", "--detach", str(other))
    try:
        assert load(other / "sub/cloud.yaml").commit == head
    finally:
        git(spec.parent, "worktree", "remove", "--force", str(other))


def test_a_repository_cannot_make_git_run_anything(spec: Path, tmp_path: Path) -> None:
    head = committed(spec)
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    git(spec.parent, "config", "core.fsmonitor", str(trap))
    assert load(spec).commit == head
    assert not (tmp_path / "sprung").exists()


def test_the_environment_points_nowhere_else(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = committed(spec)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert load(spec).commit == head


def test_no_git_no_commit(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed(spec)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert load(spec).commit == ""


def test_not_a_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    assert commit(tmp_path, [tmp_path / "x"]) == ("", False)
    assert [entry.name for entry in tmp_path.iterdir()] == [".git"]
