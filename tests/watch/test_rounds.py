"""A watch of simulated hosts: what it applies by itself, what waits for a person, and what it does when things fail."""

import subprocess
from pathlib import Path

from cloudsync.model.plan import Action
from cloudsync.model.resources import Power
from cloudsync.watch.consent import Consent
from cloudsync.watch.files import Files
from cloudsync.watch.happening import Ending
from cloudsync.watch.rounds import Rounds
from cloudsync.watch.trigger import Reason, Trigger
from tests.watch.scene import OPEN, document, doors, host, settled
from tests.watch.watched import SPEC, save, watched


def test_it_begins_with_what_the_spec_says_and_a_save_is_applied(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        save(spec, OPEN)
        found = it.next()
        assert (found.ending, found.triggers) == (Ending.APPLIED, (Trigger(Reason.SAVE, "cloud.yaml"),))
        assert [(one.address, one.action) for one in found.made] == [("group.web", Action.UPDATE)]
        assert doors(document(spec)) == 2


def test_several_saves_are_applied_one_after_the_other_to_what_is_there(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        for ports in ("[81, 82]", "[83]", "[84, 85, 86]"):
            save(spec, SPEC.replace("ports: 80", f"ports: {ports}"))
            assert it.after(Reason.SAVE).ending is Ending.APPLIED
            assert doors(document(spec)) == ports.count("8")
        look = it.next()
        assert (look.ending, look.drift) == (Ending.QUIET, 0)


def test_a_broken_spec_shows_its_problems_and_changes_nothing(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        before = document(spec)
        save(spec, SPEC.replace("flavor: small", "flavor: smal"))
        found = it.next()
        assert found.ending is Ending.BROKEN
        (problem,) = found.problems
        assert (str(problem.place), "smal" in problem.message) == (f"{spec}:16:31", True)
        assert document(spec) == before
        save(spec, OPEN)
        assert it.next().ending is Ending.APPLIED


def test_what_restarts_waits_until_somebody_agrees(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        uuid = document(spec).instances["web"].uuid
        runs = host(spec, "h1").state.runs
        save(spec, OPEN.replace("flavor: small", "flavor: other"))
        found = it.next()
        assert [one.address for one in found.made] == ["group.web"]
        (held,) = found.held
        assert (held.why, held.change.address, held.change.disruption.label) == ("waiting", "instance.web", "restart")
        assert host(spec, "h1").state.runs == runs
        it.watch.hear(Consent.KEEPING_DATA.trigger)
        while Consent.KEEPING_DATA.trigger not in (found := it.next()).triggers:
            continue
        assert ([one.address for one in found.made], found.held) == (["instance.web"], ())
        assert document(spec).instances["web"].uuid == uuid
        assert host(spec, "h1").state.machines[uuid].memory == 256 << 20
        assert host(spec, "h1").state.runs != runs


def test_losing_data_is_agreed_to_apart(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        uuid = document(spec).instances["web"].uuid
        save(
            spec,
            SPEC.replace("instances:", "instances:\n  new: {image: blank, flavor: small}").partition("  web: {image")[
                0
            ],
        )
        found = it.next()
        assert [one.change.action for one in found.held] == [Action.DELETE]
        it.watch.hear(Consent.KEEPING_DATA.trigger)
        while Consent.KEEPING_DATA.trigger not in (found := it.next()).triggers:
            continue
        assert [one.change.action for one in found.held] == [Action.DELETE]
        assert uuid in {**host(spec, "h1").state.disks, **host(spec, "h2").state.disks}
        it.watch.hear(Consent.ALL.trigger)
        while Consent.ALL.trigger not in (found := it.next()).triggers:
            continue
        assert (found.ending, found.held) == (Ending.APPLIED, ())
        assert uuid not in {**host(spec, "h1").state.disks, **host(spec, "h2").state.disks}


def test_what_is_agreed_to_is_what_was_shown(spec: Path) -> None:
    """Between the look and the key somebody saves something worse."""
    rounds = Rounds(Files(spec), "me@here", 4, _unheard, _unheard, lambda: None, _unheard)
    assert rounds.run(1, (Trigger(Reason.START),)).ending is Ending.APPLIED
    spec.write_text(SPEC.replace("flavor: small", "flavor: other"))
    assert len(rounds.run(2, (Trigger(Reason.SAVE),)).held) == 1
    spec.write_text(SPEC.replace("flavor: small", "flavor: other, state: stopped"))
    found = rounds.run(3, (Consent.KEEPING_DATA.trigger,))
    assert (found.ending, "not what it was" in found.message) == (Ending.FAILED, True)
    uuid = document(spec).instances["web"].uuid
    there = {**host(spec, "h1").state.machines, **host(spec, "h2").state.machines}
    assert there[uuid].power is Power.RUNNING
    assert rounds.run(4, (Consent.KEEPING_DATA.trigger,)).ending is Ending.APPLIED, "now it was shown"
    rounds.close()


def _unheard(_: object) -> None:
    """Nobody listens."""


def test_a_broken_expectation_is_refused(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        before = document(spec)
        save(spec, OPEN + "expect:\n  - {deny: {from: internet, to: instance.web, protocol: tcp, port: 443}}\n")
        found = it.next()
        assert found.ending is Ending.BROKEN
        assert document(spec) == before


def test_a_broken_expectation_is_said_once_while_something_else_is_held(spec: Path) -> None:
    with watched(spec) as it:
        settled(it)
        expected = SPEC + "expect:\n  - {deny: {from: internet, to: instance.web, protocol: tcp, port: 80}}\n"
        save(spec, expected.replace("flavor: small", "flavor: other"))
        found = it.next()
        assert (found.ending, len(found.problems), len(found.held)) == (Ending.BROKEN, 1, 1)


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=me", "-c", "user.email=me@example.org", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_an_older_commit_is_refused_and_the_cloud_stays(spec: Path) -> None:
    git(spec.parent, "init", "--quiet")
    (spec.parent / ".gitignore").write_text(".cloudsync/\n")
    git(spec.parent, "add", ".")
    git(spec.parent, "commit", "--quiet", "-m", "first")
    first = git(spec.parent, "rev-parse", "HEAD")
    with watched(spec) as it:
        settled(it)
        save(spec, OPEN)
        found = it.next()
        assert (found.ending, found.commit, found.dirty) == (Ending.APPLIED, first, True)
        git(spec.parent, "commit", "--quiet", "-a", "-m", "second")
        save(spec, OPEN.replace("443", "444"))
        git(spec.parent, "commit", "--quiet", "-a", "-m", "third")
        while "444" not in str(document(spec).groups["web"].rules):
            it.next()
        git(spec.parent, "reset", "--quiet", "--hard", first)
        found = it.next()
        while found.ending is not Ending.REFUSED:
            found = it.next()
        assert ("older than" in found.message, found.again) == (True, None)
        assert "444" in str(document(spec).groups["web"].rules)
