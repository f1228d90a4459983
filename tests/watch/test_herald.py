"""What became of a commit, told to a file and to a program of the person's."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cloudsync.model.plan import Action, Change, Disruption, Held, Plan, Unplaced
from cloudsync.model.problem import CloudsyncError, Place, Problem
from cloudsync.watch.happening import Beat, Ended, Ending, Planned, Ready, RoundBegan, RoundEnded
from cloudsync.watch.herald import Herald
from cloudsync.watch.hook import HookError, run, words
from cloudsync.watch.trigger import Reason, Trigger
from tests.effort import PATIENCE
from tests.house.promised import broken
from tests.lab.eventually import eventually
from tests.metadata.running import ended as gone

FIRST, SECOND = "ab" * 20, "cd" * 20
WHY = (Trigger(Reason.COMMIT, FIRST[:12]),)
WEB = Change(address="instance.web", action=Action.CREATE, disruption=Disruption.NONE)
DB = Change(address="instance.db", action=Action.UPDATE, disruption=Disruption.RESTART)

PLAN = Plan(cloud="demo")


def ended(ending: Ending, **more: Any) -> RoundEnded:
    return RoundEnded(number=1, triggers=WHY, ending=ending, seconds=0.1, **more)


class Desk:
    """A herald, and what it has delivered to both in order."""

    def __init__(self, folder: Path, hook: str = "", patience: float = PATIENCE) -> None:
        self.commit = FIRST
        self.file, self._told = folder / "status.json", folder / "told"
        self.complaints: list[str] = []
        script = folder / "hook"
        script.write_text(f"#!/bin/sh\n{hook or f'cat >>{self._told}; echo , >>{self._told}'}\n")
        script.chmod(0o755)
        complain = self.complaints.append
        self.herald = Herald("origin/main", lambda: self.commit, self.file, words(str(script)), complain, patience)

    def leave(self) -> list[dict[str, Any]]:
        self.herald(Ended(interrupted=False))
        told = self._told.read_text() if self._told.exists() else ""
        found: list[dict[str, Any]] = json.loads(f"[{told.rstrip().removesuffix(',')}]")
        for one in found:
            assert broken(one, "commit-status") == []
        return found


def states(found: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["commit"][:2], one["state"], one["summary"]) for one in found]


def test_each_commit_is_told_once_for_each_that_becomes_of_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for one in (Ready(), Beat(), RoundBegan(1, WHY), Planned(1, PLAN), Beat(), ended(Ending.APPLIED, made=(WEB,))):
        desk.herald(one)
    for _ in range(3):
        desk.herald(Planned(2, PLAN))
        desk.herald(ended(Ending.QUIET))
    desk.commit = SECOND
    desk.herald(Planned(3, PLAN))
    desk.herald(ended(Ending.APPLIED, made=(WEB,), held=(Held(why="destroys", change=DB),)))
    desk.herald(ended(Ending.QUIET, held=(Held(why="destroys", change=DB),)))
    desk.herald(ended(Ending.QUIET, silent=("h3",)))
    found = desk.leave()
    assert states(found) == [
        ("ab", "pending", "it is being applied"),
        ("ab", "success", "1 change applied"),
        ("cd", "pending", "it is being applied"),
        ("cd", "pending", "1 change applied; 1 change held"),
        ("cd", "pending", "nothing to do; no answer from h3"),
    ]
    assert found[3]["held"] == [{"address": "instance.db", "action": "update", "disruption": "restart"}]
    assert json.loads(desk.file.read_text()) == found[-1]
    assert desk.complaints == []


def test_what_is_refused_broken_or_failed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    problem = Problem("no such group", Place("ab:cloud.yaml", 3, 7), "write it", "secret: hunter2")
    desk.herald(ended(Ending.BROKEN, problems=(problem,)))
    for ending in (Ending.REFUSED, Ending.FAILED, Ending.LOCKED):
        desk.herald(ended(ending, message=f"it is {ending}", hint="mend it"))
    desk.herald(ended(Ending.INTERRUPTED))
    found = desk.leave()
    assert states(found) == [
        ("ab", "failure", "1 problem in the spec"),
        ("ab", "failure", "it is refused"),
        ("ab", "error", "it is failed"),
        ("ab", "pending", "it is locked"),
        ("ab", "pending", "it was interrupted"),
    ]
    assert "hunter2" not in json.dumps(found)
    place = {"file": "ab:cloud.yaml", "line": 3, "column": 7}
    assert found[0]["problems"] == [place | {"message": "no such group", "hint": "write it"}]


def test_a_commit_that_is_refused_was_never_said_to_be_applied(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.herald(RoundBegan(1, WHY))
    desk.herald(ended(Ending.REFUSED, message="it was pushed by force"))
    assert states(desk.leave()) == [("ab", "failure", "it was pushed by force")]


def test_a_commit_with_an_instance_that_no_host_takes_has_failed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    huge = (Unplaced(instance="huge", refusals={"h1": "no room"}),)
    desk.herald(ended(Ending.APPLIED, made=(WEB,), unplaced=huge))
    desk.herald(ended(Ending.QUIET, unplaced=huge))
    desk.herald(ended(Ending.QUIET, unplaced=huge, silent=("h2",)))
    desk.herald(ended(Ending.APPLIED, made=(WEB,)))
    found = desk.leave()
    assert states(found) == [
        ("ab", "failure", "no place for huge; 1 change applied"),
        ("ab", "pending", "no place for huge; nothing to do; no answer from h2"),
        ("ab", "success", "1 change applied"),
    ]
    assert found[0]["unplaced"] == [{"instance": "huge", "refusals": {"h1": "no room"}, "host": None}]
    assert ("cloudsync plan" in found[0]["hint"], found[2]["hint"]) == (True, "")


def test_nothing_is_told_before_there_is_a_commit(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.commit = ""
    desk.herald(Planned(1, PLAN))
    desk.herald(ended(Ending.FAILED, message="origin/main cannot be fetched"))
    assert desk.leave() == []
    assert not desk.file.exists()


def test_what_cannot_be_delivered_is_said_and_stops_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "echo no such token >&2; exit 3")
    desk.file.mkdir()
    desk.herald(ended(Ending.APPLIED))
    desk.leave()
    start = f"the status of commit {FIRST[:12]} is not delivered: "
    assert desk.complaints[0].startswith(f"{start}{desk.file}: ")
    assert desk.complaints[1:] == [f"{start}{tmp_path}/hook ended with code 3: no such token"]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["hook", "status.json"]


def test_a_full_disk_is_said_with_the_file_that_it_kept_from_being_written(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.file.with_name(f".{desk.file.name}.new").symlink_to("/dev/full")
    desk.herald(ended(Ending.APPLIED))
    desk.leave()
    assert [one.partition("delivered: ")[2] for one in desk.complaints] == [f"{desk.file}: no space left on device"]


def test_the_watch_does_not_wait_for_a_slow_program(tmp_path: Path) -> None:
    """It reads a line that nobody has written yet."""
    pipe = tmp_path / "pipe"
    run(["mkfifo", str(pipe)], b"")
    desk = Desk(tmp_path, f"read line <{pipe}")
    with os.fdopen(os.open(pipe, os.O_RDWR), "wb", buffering=0) as writer:
        desk.herald(ended(Ending.APPLIED))
        desk.herald(ended(Ending.FAILED, message="x"))
        writer.write(b"\n" * 2)
        desk.leave()
    assert desk.complaints == []
    assert json.loads(desk.file.read_text())["state"] == "error"


def test_a_program_that_hangs_when_the_watch_ends_is_ended_and_it_is_said_what_is_not_delivered(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    run(["mkfifo", str(pipe)], b"")
    desk = Desk(tmp_path, f"sleep 600 & echo $$ $! >{pipe}; wait", patience=0.0)
    desk.herald(ended(Ending.APPLIED))
    running = [int(word) for word in pipe.read_text().split()]
    desk.commit = SECOND
    desk.herald(ended(Ending.FAILED, message="x"))
    desk.leave()
    eventually(lambda: len(desk.complaints), 2)
    assert all(gone(pid) for pid in running)
    assert desk.complaints == [
        f"the status of commit {FIRST[:12]} is not delivered: {tmp_path}/hook had not ended when the watch did",
        f"the status of commit {SECOND[:12]} is not delivered: the watch ended before {tmp_path}/hook was started",
    ]
    assert json.loads(desk.file.read_text())["commit"] == SECOND


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    assert words("notify --to 'a b' $(id) `id` ;") == ("notify", "--to", "a b", "$(id)", "`id`", ";")
    for wrong in ("", "  ", "notify 'a"):
        with pytest.raises(CloudsyncError):
            words(wrong)


def held(reader: int) -> bool:
    """Whether anybody could still write into a pipe, who never does."""
    try:
        return os.read(reader, 1) != b""
    except BlockingIOError:
        return True


def test_a_program_that_does_not_end_is_ended_with_what_it_has_started(tmp_path: Path) -> None:
    """Both hold a pipe. Where the machine is slow, neither has come so far in that time."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(HookError, match="took more than 1 seconds"):
        run(["sh", "-c", f"exec 3>{pipe}; sleep 600 & wait"], b"", seconds=1)
    eventually(lambda: held(reader), False)
    os.close(reader)
    with pytest.raises(HookError, match="no such file"):
        run([str(tmp_path / "nothing")], b"")
