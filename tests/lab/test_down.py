"""A lab leaves nothing on the machine that it was on, whatever became of it."""

from pathlib import Path

import pytest

from tests.lab import play
from tests.lab.lab import lab
from tests.lab.traces import traces

pytestmark = pytest.mark.real


class Broken(Exception):
    """What a test may raise."""


@pytest.mark.parametrize("underlay", ["flat", "routed"])
def test_nothing_is_left_also_after_a_failure(underlay: str, capfd: pytest.CaptureFixture[str]) -> None:
    before = traces()
    with pytest.raises(Broken), lab(hosts=1, underlay=underlay) as it:
        assert {name for name, found in traces().items() if found != before[name]} >= {"listings", "namespaces"}
        it.run("h1", "ip", "link", "show", "eth0")
        raise Broken
    assert traces() == before
    assert "--- agent.log of h1" in capfd.readouterr().err


def test_nothing_is_left_of_one_that_did_not_come_up(tmp_path: Path) -> None:
    before = traces()
    with pytest.raises(AssertionError, match="1 to 40 hosts"), lab(hosts=0):
        pass
    assert traces() == before


def test_a_person_puts_it_up_plays_and_takes_it_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = traces()
    folder = tmp_path / "lab"
    assert play.main(["up", "1", "routed"], folder) == 0
    try:
        said = capsys.readouterr().out
        assert said.startswith("h1 is up")
        assert "uri: 'qemu+ssh://root@198.18.1.11/system?" in (folder / "cloud.yaml").read_text()
        assert play.main(["up", "1"], folder) == 1
        assert play.main(["stop", "h2"], folder) == 1
        assert capsys.readouterr().err.splitlines()[1::2] == ["hint: make lab-down", "hint: HOST= one of h1"]
        assert play.main(["stop", "h1"], folder) == 0
        assert play.main(["start", "h1"], folder) == 0
    finally:
        assert play.main(["down"], folder) == 0
    assert capsys.readouterr().out.splitlines() == ["h1 is off", "h1 is up", "nothing of the lab is left"]
    assert not folder.exists()
    assert traces() == before
    assert play.main(["start", "h1"], folder) == 1
