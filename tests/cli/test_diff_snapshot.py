"""`diff --snapshot` as it is typed: all that is said without one is said with one, and of when the snapshot is."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.specs import APART
from tests.cli.terminal import Terminal
from tests.cli.test_diff import EXPECT, GROUP, committed
from tests.house.promised import broken
from tests.render.test_html import parsed, shown
from tests.spec.repository import Repository

ONE = APART + GROUP + EXPECT
TWO = ONE.replace("web: {image", "web: {metadata: {a: b}, image")
THREE = TWO.replace("  db: {", "  data: {").replace(EXPECT, EXPECT.replace("instance.web", "instance.data"))


@pytest.fixture
def cloud(terminal: Terminal, tmp_path: Path) -> Terminal:
    """The first of three commits is applied, and a snapshot is of it."""
    Repository.new(terminal.folder)
    for number, text in enumerate((ONE, TWO, THREE), 1):
        committed(terminal, text)
        Repository(terminal.folder).git("tag", f"c{number}")
        if number == 1:
            assert terminal.type("apply", "-y").code == 0
            save(terminal, tmp_path)
    return terminal


def save(cloud: Terminal, folder: Path) -> None:
    assert cloud.type("status", "--save", str(folder / "live.json")).code == 0


def typed(cloud: Terminal, folder: Path, span: str, style: str = "text") -> str:
    found = cloud.type("diff", span, "--snapshot", str(folder / "live.json"), "--format", style)
    assert (found.code, found.err) == (0, "")
    return found.out


def printed(cloud: Terminal, folder: Path, span: str) -> Any:
    found = json.loads(typed(cloud, folder, span, "json"))
    assert broken(found, "plan") == []
    return found


def commit(cloud: Terminal, name: str) -> str:
    return Repository(cloud.folder).git("rev-parse", name)


WORDS = (
    "no longer expected: deny internet → instance.web",
    "newly expected: deny internet → instance.data",
    "write `was: db` into instances.data",
)


@pytest.mark.parametrize("style", ["text", "markdown", "html"])
def test_notes_and_guesses_are_told_with_a_snapshot_and_without(cloud: Terminal, tmp_path: Path, style: str) -> None:
    for out in (cloud.type("diff", "c2..c3", "--format", style).out, typed(cloud, tmp_path, "c2..c3", style)):
        said = shown(parsed(out)) if style == "html" else out
        assert [words for words in WORDS if words not in said] == []


def test_scripts_get_what_was_compared(cloud: Terminal, tmp_path: Path) -> None:
    plain = json.loads(cloud.type("diff", "c2..c3", "--format", "json").out)
    found = printed(cloud, tmp_path, "c2..c3")
    same = ("base", "head", "spec", "notes", "renames", "spec_digest")
    assert {key: found[key] for key in same} == {key: plain[key] for key in same}
    assert found["renames"] == [{"address": "instance.data", "was": "db"}]
    assert found["commit"] == commit(cloud, "c3")
    assert (found["snapshot"]["commit"], found["snapshot"]["dirty"]) == (commit(cloud, "c1"), False)
    assert found["snapshot"]["at"].startswith("20")


@pytest.mark.parametrize("style", ["text", "markdown", "html"])
def test_a_snapshot_of_another_commit_than_the_base_is_told(cloud: Terminal, tmp_path: Path, style: str) -> None:
    one, two, three = (commit(cloud, name)[:12] for name in ("c1", "c2", "c3"))
    out = typed(cloud, tmp_path, "c2..c3", style)
    said = shown(parsed(out)) if style == "html" else out
    assert f"{two} → {three}" in said
    assert f"the snapshot shows commit {one}, applied at 20" in said
    assert f"; BASE is {two}: what lies between them is in this plan too; take a new one with `status --save`" in said


def test_a_snapshot_of_the_base_is_named_and_nothing_is_wrong(cloud: Terminal, tmp_path: Path) -> None:
    one, two = (commit(cloud, name)[:12] for name in ("c1", "c2"))
    lines = typed(cloud, tmp_path, "c1..c2").splitlines()
    assert lines[0].endswith(f": {one} → {two}")
    assert lines[1].startswith(f"the snapshot shows commit {one}, applied at ")
    assert printed(cloud, tmp_path, "c1..c2")["warnings"] == []


def test_a_commit_that_leaves_the_spec_alone_makes_no_snapshot_old(cloud: Terminal, tmp_path: Path) -> None:
    repository = Repository(cloud.folder)
    repository.git("checkout", "-q", "c1")
    repository.commit(notes="of something else")
    committed(cloud, "# A comment.\n" + ONE)
    assert printed(cloud, tmp_path, "HEAD")["warnings"] == []
    committed(cloud, TWO)
    assert len(printed(cloud, tmp_path, "HEAD")["warnings"]) == 1


def test_a_base_older_than_the_snapshot_is_to_be_merged(cloud: Terminal, tmp_path: Path) -> None:
    Repository(cloud.folder).git("checkout", "-q", "c2")
    assert cloud.type("apply", "-y").code == 0
    save(cloud, tmp_path)
    (warning,) = printed(cloud, tmp_path, "c1..c3")["warnings"]
    assert f"the snapshot shows commit {commit(cloud, 'c2')[:12]}" in warning
    assert "merge or rebase" in warning


def test_local_changes_that_were_applied_are_told(cloud: Terminal, tmp_path: Path) -> None:
    repository = Repository(cloud.folder)
    repository.git("checkout", "-q", "c2")
    cloud.write(TWO.replace("a: b", "a: c"))
    assert cloud.type("apply", "-y").code == 0
    save(cloud, tmp_path)
    (warning,) = printed(cloud, tmp_path, "c2..c3")["warnings"]
    assert f"commit {commit(cloud, 'c2')[:12]} with local changes, applied at " in warning
    assert "is undone in this plan" in warning


def test_a_snapshot_of_nothing(cloud: Terminal, tmp_path: Path) -> None:
    """That is as it should be where the spec is new in HEAD."""
    shutil.rmtree(cloud.folder / ".cloudsync")
    repository = Repository(cloud.folder)
    save(cloud, tmp_path)
    assert "the snapshot shows nothing that was applied\n" in typed(cloud, tmp_path, "c2..c3")
    assert "; BASE is " in "".join(printed(cloud, tmp_path, "c2..c3")["warnings"])
    repository.commit(cloud_yaml=None)
    cloud.write(ONE)
    found = printed(cloud, tmp_path, "HEAD")
    assert (found["spec"], found["warnings"], found["commit"]) == ("new", [], "")
