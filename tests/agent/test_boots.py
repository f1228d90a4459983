"""What guests said of their boot, over restarts of the agent and of its host."""

from pathlib import Path

from cloudsync.agent.boots import Boots, load
from cloudsync.model.snapshot import Boot
from tests.agent.documents import UUID

KEYS = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xFXNXV4Bi6FhPpnlEZ8bF0n6aIqwJTKBq2qSBuVCb",)
BOOTED = Boot(uuid=UUID, stage="modules-final", finished=True, host_keys=KEYS, grows=True)


def test_no_guest_has_booted_yet_when_its_host_was_started_anew(tmp_path: Path) -> None:
    path = tmp_path / "boots.json"
    Boots(path, "one").record(BOOTED)
    assert Boots(path, "one").all()[UUID] == BOOTED
    after = Boots(path, "two").all()[UUID]
    assert (after.stage, after.finished, after.host_keys, after.grows) == ("", False, KEYS, True)
    assert load(path)[UUID] == after
    Boots(path, "two").record(BOOTED)
    assert Boots(path, "two").all()[UUID] == BOOTED


def test_one_that_came_from_another_host_has_its_keys_though_it_was_started_here(tmp_path: Path) -> None:
    boots = Boots(tmp_path / "boots.json")
    boots.record(Boot(uuid=UUID, at="now"))
    boots.learn(BOOTED)
    assert boots.all()[UUID] == Boot(uuid=UUID, at="now", host_keys=KEYS, grows=True)
    boots.learn(Boot(uuid=UUID, host_keys=("others",)))
    assert boots.all()[UUID].host_keys == KEYS
