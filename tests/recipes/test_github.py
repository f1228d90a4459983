"""The workflow for GitHub by running its steps: with real bash, git, curl, jq and ssh-keygen, and a stand-in API."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recipes.forge import MARK, Forge, serving
from tests.recipes.github import RECIPE, apply, review, workflow
from tests.recipes.repository import Scene

pytestmark = pytest.mark.slow

BOT = {"login": "github-actions[bot]", "id": 41898282}
GROUP = "security_groups:\n  web: {ingress: [{protocol: tcp, ports: 80, from: any}]}\n"


@pytest.fixture
def forge() -> Iterator[Forge]:
    with serving(Forge(BOT)) as found:
        yield found


def test_a_review_has_one_comment_that_follows_the_pull_request(tmp_path: Path, forge: Forge) -> None:
    scene = Scene.new(tmp_path, signed=False)
    forge.crowded()
    first = review(scene, forge, scene.spec + GROUP)
    assert (first.failed, forge.written) == (False, ["POST"]), first.log
    assert "group.web" in forge.ours[0]
    second = review(scene, forge, scene.spec.replace("  db:", "  data:"))
    assert (second.failed, forge.written, len(forge.ours)) == (False, ["POST", "PATCH"], 1), second.log
    assert forge.ours[0].startswith(MARK)
    assert "instance.data" in forge.ours[0]
    assert "group.web" not in forge.ours[0]
    assert second.summary.read_text() == forge.ours[0]
    assert "<!DOCTYPE html>" in (second.machine.temp / "report.html").read_text()
    assert "pipx install --quiet cloudsync==1" in second.machine.installed
    assert not (tmp_path / "h1.json").exists(), "no host was touched"


def test_a_broken_spec_is_annotated_and_the_comment_says_so(tmp_path: Path, forge: Forge) -> None:
    scene = Scene.new(tmp_path, signed=False)
    run = review(scene, forge, scene.spec.replace("db: {image: blank", "db: {image: blnk"))
    assert {name for name, code in run.outcomes.items() if code} == {"Validate", "Diff"}
    assert re.search(r"^::error file=cloud\.yaml,line=\d+,col=\d+::.*blnk", run.log, re.MULTILINE)
    assert "### The spec cannot be applied" in forge.ours[0]
    mended = review(scene, forge, scene.spec)
    assert (mended.failed, len(forge.ours)) == (False, 1)
    assert "Nothing to do." in forge.ours[0].replace("&#46;", ".")


def test_a_broken_expectation_fails_and_is_told(tmp_path: Path, forge: Forge) -> None:
    scene = Scene.new(tmp_path, signed=False)
    run = review(scene, forge, scene.spec + "expect: [{allow: {from: internet, to: instance.web}}]\n")
    assert run.outcomes["Diff"] == 1
    assert "1 × expectation does not hold" in forge.ours[0]


def test_a_stranger_gets_no_comment_and_gives_the_runner_no_command(tmp_path: Path, forge: Forge) -> None:
    scene = Scene.new(tmp_path, signed=False)
    evil = "  bad:\n    image:\n      ::error::evil\n    flavor:\n      ::add-mask::evil\n"
    run = review(scene, forge, scene.spec + evil, stranger=True)
    assert forge.comments == []
    assert "### The spec" in run.summary.read_text()
    shut, kept = False, 0
    for line in run.log.splitlines():
        shut = line.startswith("::stop-commands::") or (shut and not re.fullmatch(r"::[0-9a-f-]{36}::", line))
        meant = re.match(r"\s*::(error|add-mask)::evil", line)
        kept += bool(meant)
        assert shut or not meant
    assert kept == 2, "nothing of it was in the log"


def test_a_merge_is_applied_and_the_next_review_is_a_whole_plan(tmp_path: Path, forge: Forge) -> None:
    scene = Scene.new(tmp_path)
    first = apply(scene, forge)
    assert not first.failed, first.log
    assert "6 to add" in first.summary.read_text()
    run = review(scene, forge, scene.spec + "  new: {image: blank, flavor: small}\n")
    assert not run.failed, run.log
    assert "runner&#45;up" in forge.ours[0] or "runner-up" in forge.ours[0], "the host is chosen"
    scene.merge("change")
    second = apply(scene, forge)
    assert not second.failed, second.log
    assert "1 to add" in second.summary.read_text()
    third = apply(scene, forge)
    assert "Nothing to do." in third.log
    assert list(third.machine.temp.iterdir()) != []
    assert not (third.machine.temp / "key").exists(), "the key outlived the job's step"


def test_a_snapshot_that_nobody_of_main_signed_is_refused(tmp_path: Path, forge: Forge) -> None:
    """A pull request that names another signer changes nothing: main's list counts."""
    scene = Scene.new(tmp_path)
    assert not apply(scene, forge).failed
    (scene.desk.folder / "allowed_signers").write_text("ci ssh-ed25519 " + "A" * 68 + "\n")
    scene.push("main", scene.spec)
    run = review(scene, forge, scene.spec)
    assert run.outcomes["Diff"] == 1
    assert "signed" in run.log


def test_what_destroys_needs_a_hand(tmp_path: Path, forge: Forge) -> None:
    scene = Scene.new(tmp_path, signed=False)
    assert not apply(scene, forge).failed
    gone = scene.spec.replace("  db: {image: blank, flavor: small, placement: {host: h1}}\n", "")
    scene.push("main", gone)
    refused = apply(scene, forge)
    assert refused.outcomes["Plan and apply"] == 1
    assert "1 disk will be destroyed" in refused.summary.read_text()
    assert not apply(scene, forge, allow_destroy="true").failed
    assert "Nothing to do." in apply(scene, forge).log


def test_it_asks_for_no_more_than_it_needs() -> None:
    found = workflow()
    jobs = found["jobs"]
    # YAML 1.1 takes the key `on` for true.
    assert (found.get("on") or found[True]).keys() == {"pull_request", "push", "workflow_dispatch"}
    assert found["permissions"] == {}
    assert jobs["review"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert "secrets." not in RECIPE.read_text().partition("\n  apply:\n")[0]
    assert jobs["apply"]["environment"] == "cloudsync"
    assert jobs["apply"]["concurrency"] == {"group": "cloudsync-apply", "cancel-in-progress": False}
    for step in (step for job in jobs.values() for step in job["steps"]):
        assert "${{" not in step.get("run", ""), "what others wrote would be code"
        assert "uses" not in step or re.search(r"@[0-9a-f]{40}$", step["uses"])
