"""The pipeline for GitLab by running its jobs: with real bash, git, curl, jq and ssh-keygen, and a stand-in API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recipes.forge import MARK, Forge, serving
from tests.recipes.gitlab import RECIPE, apply, pipeline, review
from tests.recipes.repository import Scene

pytestmark = pytest.mark.slow


@pytest.fixture
def forge() -> Iterator[Forge]:
    with serving(Forge({"username": "project_5_bot", "id": 55})) as found:
        yield found


def test_a_review_has_one_comment_that_follows_the_merge_request(tmp_path: Path, forge: Forge) -> None:
    scene = Scene.new(tmp_path, signed=False)
    forge.crowded()
    first = review(scene, forge, scene.spec.replace("cloud: demo", "cloud: demo\nrepair: true"))
    assert (first.done.returncode, forge.written) == (0, ["POST"]), first.log
    broken = review(scene, forge, scene.spec.replace("db: {image: blank", "db: {image: blnk"))
    assert (broken.done.returncode, forge.written, len(forge.ours)) == (1, ["POST", "PUT"], 1), broken.log
    assert "### The spec cannot be applied" in forge.ours[0]
    third = review(scene, forge, scene.spec.replace("  db:", "  data:"))
    assert (third.done.returncode, forge.written[-1], len(forge.ours)) == (0, "PUT", 1), third.log
    assert forge.ours[0].startswith(MARK)
    assert "instance.data" in forge.ours[0]
    assert "<!DOCTYPE html>" in (third.place / "report.html").read_text()
    assert "pipx install --quiet cloudsync==1" in third.machine.installed


def test_a_stranger_gets_the_report_and_no_comment(tmp_path: Path, forge: Forge) -> None:
    scene = Scene.new(tmp_path, signed=False)
    run = review(scene, forge, scene.spec.replace("  db:", "  data:"), stranger=True)
    assert (run.done.returncode, forge.comments) == (0, []), run.log
    assert "instance.data" in (run.place / "report.html").read_text()


def test_a_merge_is_applied_and_the_next_review_is_a_whole_plan(tmp_path: Path, forge: Forge) -> None:
    scene = Scene.new(tmp_path)
    first = apply(scene, forge)
    assert first.done.returncode == 0, first.log
    assert "6 to add" in first.log
    run = review(scene, forge, scene.spec + "  new: {image: blank, flavor: small}\n")
    assert run.done.returncode == 0, run.log
    assert "runner-up" in (run.place / "comment.md").read_text().replace("&#45;", "-"), "the host is chosen"
    gone = scene.spec.replace("  db: {image: blank, flavor: small, placement: {host: h1}}\n", "")
    scene.desk.git("checkout", "-q", "main")
    scene.push("main", gone)
    assert apply(scene, forge).done.returncode == 1, "disks"
    assert apply(scene, forge, CLOUDSYNC_ALLOW_DESTROY="true").done.returncode == 0
    quiet = apply(scene, forge)
    assert "Nothing to do." in quiet.log
    assert not (quiet.place / "key").exists(), "the key outlived its job"


def test_it_asks_for_no_more_than_it_needs() -> None:
    found = pipeline()
    assert found["apply"]["resource_group"] == "cloudsync"
    assert found["apply"]["rules"] == [
        {"if": '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_COMMIT_REF_PROTECTED == "true"'}
    ]
    script = RECIPE.read_text().partition("\nreview:\n")[2]
    assert "SSH_KEY" not in script.partition("\napply:\n")[0]
    assert "CLOUDSYNC_TOKEN" not in script.partition("\napply:\n")[2]
