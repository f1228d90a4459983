"""A plan that does away with most of a group is asked about by itself: on a terminal, and by an option without one."""

import os
import subprocess
import sys

import pytest

from tests.cli.specs import PAIR
from tests.cli.terminal import Terminal, Typed

SPEC = PAIR + "  web: {image: blank, flavor: small, count: 2}\n"


@pytest.fixture
def most(terminal: Terminal) -> Terminal:
    """All of web is to go."""
    terminal.write(SPEC)
    assert terminal.type("apply", "-y").code == 0
    terminal.write(SPEC.replace("count: 2", "count: 0"))
    return terminal


def answered(terminal: Terminal, text: str, *words: str) -> Typed:
    """Typed at a terminal, which says `text` to what it is asked."""
    ours, theirs = os.openpty()
    os.write(ours, text.encode())
    command = [sys.executable, "-m", "cloudsync", "-f", str(terminal.spec), "apply", *words]
    done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, check=False, cwd=terminal.folder)
    os.close(ours)
    os.close(theirs)
    return Typed(done.returncode, done.stdout, done.stderr)


def test_it_has_an_option_of_its_own(most: Terminal) -> None:
    refused = most.type("apply", "-y", "--allow-destroy")
    assert refused.code == 1
    assert "this plan deletes or makes anew 2 of the 2 instances of web" in refused.err
    assert "hint: add --allow-mass-delete" in refused.err
    refused = most.type("apply", "-y", "--allow-mass-delete")
    assert "hint: add --allow-destroy if" in refused.err
    both = most.type("apply", "-y")
    assert "hint: add --allow-destroy --allow-mass-delete if" in both.err
    assert most.type("apply").err.endswith(
        "hint: add -y --allow-destroy --allow-mass-delete: this plan destroys data and deletes or makes anew 2 of "
        "the 2 instances of web\n"
    )
    assert "It deletes or makes anew 2 of the 2 instances of web." in most.type("plan").out
    assert most.type("apply", "-y", "--allow-destroy", "--allow-mass-delete").code == 0
    assert most.type("plan", "--detailed-exitcode").code == 0


def test_a_plan_that_was_saved_is_no_exception(most: Terminal) -> None:
    saved = str(most.folder / "plan.json")
    assert most.type("plan", "--out", saved).code == 0
    assert most.type("apply", saved, "-y", "--allow-destroy").code == 1
    assert most.type("apply", saved, "-y", "--allow-destroy", "--allow-mass-delete").code == 0


@pytest.mark.slow
def test_a_person_types_how_many_go(most: Terminal) -> None:
    for wrong in ("yes\n", "1\n2\n", "2\nyes\n"):
        refused = answered(most, wrong)
        assert refused.code == 1
        assert "This deletes or makes anew 2 of the 2 instances of web." in refused.err
        assert "nothing was changed" in refused.err
    done = answered(most, "2\ndemo\n")
    assert done.code == 0, done.err
    assert "Type how many go (2) to go on: " in done.err


def test_destroy_is_just_that(most: Terminal) -> None:
    most.write(SPEC)
    assert most.type("destroy", "-y", "--allow-destroy").code == 0
