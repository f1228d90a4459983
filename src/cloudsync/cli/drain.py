"""`host drain`: the spec says so, then the plan moves what is on the host; `--undo` lets it have instances again."""

from pathlib import Path

from cloudsync.cli.apply import Wishes, run
from cloudsync.cli.say import say


def drain(path: Path, host: str, undo: bool, wishes: Wishes) -> int:
    """The intent lives in the spec, where everybody sees it; what is asked and carried out is an apply."""
    from cloudsync.spec.restate import restate

    state = "active" if undo else "drained"
    if restate(path, host, state):
        say(f"host.{host}: `state: {state}` is written into {path}; commit it, or others' applies undo it")
    return run(path, None, wishes)
