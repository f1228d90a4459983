"""An agent that is older or newer than the controller, or whose clock is wrong."""

from pathlib import Path

import pytest

from tests.fleet.conftest import Desk
from tests.lab.cloud import running_agent

pytestmark = pytest.mark.real
OTHER = "tests.fleet.other_agent"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    found = Desk(tmp_path / "cloud.yaml")
    found.write("qemu:///system")
    return found


@pytest.mark.parametrize("version", ["0.0.9", "0.2.0"])
def test_one_version_apart_works(desk: Desk, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("OTHER_VERSION", version)
    with running_agent(module=OTHER):
        assert "warning" not in desk.done("plan")
        assert f"it is version {version}, this is 0.1.0" in desk.done("doctor")


def test_one_that_keeps_no_journal_is_applied_to_all_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_JOURNAL", "none")
    with running_agent(module=OTHER):
        try:
            applied = desk.type("apply", "-y")
            assert applied.returncode == 0, applied.stderr
            said = (
                "warning: this apply is not in the journal of far: its agent keeps no journal\nhint: upgrade cloudsync"
            )
            assert applied.stderr.count("warning") == applied.stderr.count(said) == 1
            assert "host.far was not asked: far: its agent keeps no journal" in desk.failed("history")
            assert "applied by" in desk.done("status")
        finally:
            desk.done("destroy", "-y", "--allow-destroy")


@pytest.mark.parametrize(
    ("version", "words"), [("0.3.0", "upgrade this cloudsync to 0.3.0"), ("1.0.0", "upgrade this cloudsync to 1.0.0")]
)
def test_further_apart_says_who_is_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, version: str, words: str
) -> None:
    monkeypatch.setenv("OTHER_VERSION", version)
    with running_agent(module=OTHER):
        assert words in desk.failed("plan")
        assert words in desk.failed("doctor")
        assert "unfit" in desk.failed("status")


def test_a_clock_that_is_wrong(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_CLOCK", "-120")
    with running_agent(module=OTHER):
        said = desk.done("plan")
        assert "host.far: its clock is 1" in said
        assert "s behind this machine's" in said
