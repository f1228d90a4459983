"""The hooks before a commit: by plain git, and as the file for pre-commit says."""

import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.cli.specs import APART
from tests.house.tree import TOP
from tests.recipes.repository import Machine
from tests.spec.repository import Repository


@pytest.fixture
def hooked(tmp_path: Path) -> Repository:
    made = Repository.new(tmp_path / "desk")
    shutil.copy(TOP / "recipes" / "git" / "pre-commit", made.folder / ".git" / "hooks" / "pre-commit")
    return made


def commit(made: Repository, text: str) -> "subprocess.CompletedProcess[str]":
    (made.folder / "cloud.yaml").write_text(text)
    machine = Machine.new(made.folder.parent / "machines" / str(len(text)))
    script = "git add -A; git -c user.name=a -c user.email=a@example.org commit -q -m change"
    return machine.run(script, made.folder)


def test_git_commits_a_spec_that_is_right_and_no_other(hooked: Repository) -> None:
    refused = commit(hooked, APART.replace("db: {image: blank", "db: {image: blnk"))
    assert refused.returncode == 1
    assert "cloud.yaml:" in refused.stdout
    done = commit(hooked, APART)
    assert done.returncode == 0, done.stdout
    assert hooked.git("rev-list", "--count", "HEAD") == "1"


def test_the_file_for_pre_commit_calls_the_same(hooked: Repository) -> None:
    (hook,) = YAML(typ="safe").load(TOP / ".pre-commit-hooks.yaml")
    assert f"exec {hook['entry']}" in (TOP / "recipes" / "git" / "pre-commit").read_text()
    assert (hook["language"], hook["pass_filenames"], hook["always_run"]) == ("system", False, True)
