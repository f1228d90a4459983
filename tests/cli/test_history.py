"""`history`, and a spec that is older than what is deployed, as typed commands against simulated hosts."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import typed
from tests.cli.specs import APART
from tests.cli.terminal import Terminal, Typed
from tests.house.promised import broken
from tests.spec.test_git import git

MORE = "  more: {image: blank, flavor: small, placement: {host: h1}}\n"


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    """Applied at its first commit."""
    git(terminal.folder, "init", "-q", "-b", "main")
    (terminal.folder / ".gitignore").write_text(".cloudsync/\nplan.json\n")
    commit(terminal, APART)
    applied = terminal.type("apply", "-y")
    assert (applied.code, "warning" in applied.out + applied.err) == (0, False)
    return terminal


def commit(cloud: Terminal, text: str) -> str:
    cloud.write(text)
    git(cloud.folder, "add", "-A")
    git(cloud.folder, "commit", "-q", "-m", "spec")
    return git(cloud.folder, "rev-parse", "HEAD")


def back(cloud: Terminal) -> None:
    git(cloud.folder, "checkout", "-q", "HEAD~1")


def told(cloud: Terminal, *words: str) -> Any:
    found = json.loads(cloud.type("history", *words, "--format", "json").out)
    assert broken(found, "history") == []
    return found


def refused(found: Typed) -> str:
    assert found.code == 1
    assert "nothing was changed" in found.err
    return found.err


def test_applies_are_told_newest_first_with_who_did_what(cloud: Terminal) -> None:
    first = git(cloud.folder, "rev-parse", "HEAD")
    cloud.write(APART + MORE)
    assert cloud.type("apply", "-y").code == 0
    assert cloud.type("apply", "-y").code == 0
    rows = told(cloud)["applies"]
    assert [(row["commit"], row["dirty"], row["outcome"]) for row in rows] == [
        (first, True, "done"),
        (first, False, "done"),
    ]
    assert rows[0]["changes"] == [{"action": "create", "address": "instance.more"}]
    assert rows[0]["by"] == json.loads(cloud.type("status", "--format", "json").out)["deployed"]["by"]
    assert rows[0]["steps"]["done"] == rows[0]["steps"]["planned"] > 0
    assert set(rows[0]["hosts"]) == {"h1", "h2"}
    assert rows[1]["hosts"]["h1"]["before"] == 0
    lines = cloud.type("history").out.splitlines()
    assert lines[0].split() == ["WHEN", "BY", "COMMIT", "CHANGES", "OUTCOME"]
    assert lines[1].split()[2:] == [f"{first[:12]}+", "create", "instance.more", "done"]
    assert len(lines) == 3
    assert len(told(cloud, "--limit", "1")["applies"]) == 1


def test_one_address_has_a_history_of_its_own(cloud: Terminal) -> None:
    commit(cloud, APART + MORE)
    cloud.type("apply", "-y")
    counts = {name: len(told(cloud, name)["applies"]) for name in ("more", "instance.db", "db", "host.h1", "host.h2")}
    assert counts == {"more": 1, "instance.db": 1, "db": 1, "host.h1": 2, "host.h2": 2}
    assert len(told(cloud, "host.h2", "--limit", "1")["applies"]) == 1
    rows = [" ".join(line.split()[3:]) for line in cloud.type("history", "host.h1").out.splitlines()[1:]]
    assert rows == ["what it holds of others done"] * 2
    (line,) = cloud.type("history", "db").out.splitlines()[1:]
    assert line.split()[3:] == ["create", "done"]
    assert cloud.type("history", "nothing").out == "nothing of that was applied\n"
    assert "write KIND.NAME" in cloud.type("history", "").err


def test_before_the_first_apply_there_is_none(terminal: Terminal) -> None:
    terminal.write(APART)
    assert terminal.type("history").out == "nothing was applied yet\n"


@pytest.mark.slow
def test_one_that_was_killed_in_the_middle_is_there(cloud: Terminal) -> None:
    commit(cloud, APART + MORE)
    killed = typed(cloud.spec, "create-instance", "os.kill(os.getpid(), signal.SIGKILL)", "apply", "-y")
    assert killed.returncode == -9
    row = told(cloud)["applies"][0]
    assert (row["outcome"], row["ended"], row["steps"]["done"]) == ("unfinished", None, None)
    assert "unfinished" in cloud.type("history").out.splitlines()[1]
    assert cloud.type("apply", "-y").code == 0
    assert [one["outcome"] for one in told(cloud)["applies"]] == ["done", "unfinished", "done"]


@pytest.mark.slow
def test_one_that_failed_says_where_and_why(cloud: Terminal) -> None:
    commit(cloud, APART + MORE)
    failed = typed(cloud.spec, "create-instance", "raise HostError('no room', 'make some')", "apply", "-y")
    assert failed.returncode == 1
    row = told(cloud)["applies"][0]
    assert (row["outcome"], row["failures"]) == ("failed", ["create-instance instance.more on h1: no room"])
    assert "failed: create-instance instance.more on h1: no room" in cloud.type("history").out


@pytest.mark.slow
def test_one_that_was_interrupted_says_so(cloud: Terminal) -> None:
    commit(cloud, APART + MORE)
    stopped = typed(cloud.spec, "put-document", "os.kill(os.getpid(), signal.SIGINT)", "apply", "-y")
    assert stopped.returncode == 130
    assert told(cloud)["applies"][0]["outcome"] == "interrupted"


def test_a_host_that_cannot_be_asked_is_named_and_the_others_tell(cloud: Terminal) -> None:
    down(cloud, "h1")
    found = cloud.type("history")
    assert (found.code, len(found.out.splitlines())) == (0, 2)
    assert "host.h1 was not asked: pulled out" in found.err
    assert told(cloud)["not_asked"] == {"h1": "pulled out"}
    down(cloud, "h2")
    assert cloud.type("history").code == 1


def down(cloud: Terminal, host: str) -> None:
    state = Path(cloud.folder, f".cloudsync/sim/{host}.json")
    state.write_text(json.dumps({**json.loads(state.read_text()), "down": "pulled out"}))


def test_an_older_spec_is_warned_of_and_refused(cloud: Terminal) -> None:
    commit(cloud, APART + MORE)
    assert cloud.type("apply", "-y").code == 0
    back(cloud)
    assert "warning: the spec is of commit" in cloud.type("plan").out
    assert "1 commit older than" in refused(cloud.type("apply", "-y", "--allow-destroy"))
    assert "1 commit older than" in refused(cloud.type("apply"))
    assert "1 commit older than" in refused(cloud.type("destroy", "-y", "--allow-destroy"))
    assert "instance.more" in cloud.type("plan").out
    assert cloud.type("apply", "-y", "--allow-destroy", "--force").code == 0
    assert [row["forced"] for row in told(cloud)["applies"]] == [True, False, False]
    assert " forced " in cloud.type("history").out
    assert "warning" not in cloud.type("plan").out


def test_a_saved_plan_of_an_older_spec_is_refused_too(cloud: Terminal) -> None:
    saved = str(cloud.folder / "plan.json")
    commit(cloud, APART + MORE)
    assert cloud.type("apply", "-y").code == 0
    back(cloud)
    assert "warning: the spec is of commit" in cloud.type("plan", "--out", saved).out
    assert "1 commit older than" in refused(cloud.type("apply", saved, "-y", "--allow-destroy"))
    assert cloud.type("apply", saved, "-y", "--allow-destroy", "--force").code == 0


def test_an_older_spec_with_nothing_to_do_does_no_harm(cloud: Terminal) -> None:
    """The later commit changed and brought back the same."""
    commit(cloud, APART + MORE)
    assert cloud.type("apply", "-y").code == 0
    back(cloud)
    cloud.write(APART + MORE)
    assert "warning: the spec is of commit" in cloud.type("plan").out
    assert cloud.type("apply", "-y").code == 0


def test_a_host_that_is_away_does_not_hide_what_is_deployed(cloud: Terminal) -> None:
    """The last apply changed the document of h1 alone; h2 has it in its journal."""
    latest = commit(cloud, APART + MORE.replace("}}", "}, metadata: {a: b}}"))
    assert cloud.type("apply", "-y").code == 0
    later = commit(cloud, APART + MORE.replace("}}", "}, metadata: {a: c}}"))
    assert cloud.type("apply", "-y").code == 0
    hosts = told(cloud)["applies"][0]["hosts"]
    assert hosts["h1"]["before"] < hosts["h1"]["after"]
    assert hosts["h2"]["before"] == hosts["h2"]["after"]
    down(cloud, "h1")
    git(cloud.folder, "checkout", "-q", latest)
    cloud.write(cloud.spec.read_text().replace("metadata: {a: b}", "metadata: {a: b}, state: stopped"))
    assert json.loads(cloud.type("status", "--format", "json").out)["deployed"]["commit"] == later
    assert f"1 commit older than {later[:12]}" in cloud.type("plan").out


def test_what_was_deployed_with_local_changes_is_a_word_in_the_plan(cloud: Terminal) -> None:
    cloud.write(APART + MORE)
    assert cloud.type("apply", "-y").code == 0
    git(cloud.folder, "checkout", "-q", "cloud.yaml")
    assert "with local changes on top of it" in cloud.type("plan").out
    assert cloud.type("apply", "-y", "--allow-destroy").code == 0
    cloud.write(APART + MORE)
    assert cloud.type("apply", "-y").code == 0
    commit(cloud, APART + MORE)
    assert "warning" not in cloud.type("plan").out


def test_a_drain_by_an_older_spec_is_refused_and_taken_back(cloud: Terminal) -> None:
    commit(cloud, APART + MORE)
    assert cloud.type("apply", "-y").code == 0
    back(cloud)
    before = cloud.spec.read_bytes()
    loose = cloud.type("host", "drain", "h1", "-y", "--allow-destroy")
    assert loose.code == 1
    assert "1 commit older than" in loose.err + loose.out
    assert cloud.spec.read_bytes() == before
