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

pytestmark = pytest.mark.slow


@pytest.fixture
def hooked(tmp_path: Path) -> Repository:
    made = Repository.new(tmp_path / "desk")
    (made.folder / ".git" / "hooks").mkdir()
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


def test_git_commits_by_what_is_staged(hooked: Repository) -> None:
    """Whatever the files in the folder say. An image that is not in Git is none of its concern."""
    spec = APART.replace("'https://example.org/blank.qcow2', sha256: " + "ab" * 32, "'file:images/blank.qcow2'")
    assert "file:images" in spec
    here = hooked.folder / "cloud.yaml"
    machine = Machine.new(hooked.folder.parent / "machine")
    script = "git -c user.name=a -c user.email=a@example.org commit -q -m change"
    here.write_text(spec + "bad: 1\n")
    hooked.git("add", "cloud.yaml")
    here.write_text(spec)
    refused = machine.run(script, hooked.folder)
    assert refused.returncode == 1, refused.stdout
    assert "cloud.yaml:" in refused.stdout
    hooked.git("add", "cloud.yaml")
    here.write_text(spec + "bad: 1\n")
    done = machine.run(script, hooked.folder)
    assert done.returncode == 0, done.stdout
    assert hooked.git("show", "HEAD:cloud.yaml") == spec.strip()


def test_the_file_for_pre_commit() -> None:
    """That tool puts away what is not staged, so that the files here are what is committed."""
    (hook,) = YAML(typ="safe").load(TOP / ".pre-commit-hooks.yaml")
    assert hook["entry"] == "cloudsync validate"
    assert (hook["language"], hook["pass_filenames"], hook["always_run"]) == ("system", False, True)
