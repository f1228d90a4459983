"""`host drain`: the spec says so, then the plan moves what is on the host; `--undo` lets it have instances again."""

from dataclasses import replace
from pathlib import Path

from cloudsync.cli.apply import Wishes, run
from cloudsync.cli.say import say


def drain(path: Path, host: str, undo: bool, wishes: Wishes) -> int:
    """The intent lives in the spec, where everybody sees it; what is asked and carried out is an apply. Where that does
    not come to its first step, the spec gets its former text back."""
    from cloudsync.spec.restate import restate

    state = "active" if undo else "drained"
    put_back = restate(path, host, state)
    if put_back is None:
        return run(path, None, wishes)
    agreed = False

    def accepted() -> None:
        nonlocal agreed
        agreed = True
        say(f"host.{host}: `state: {state}` is written into {path}; commit it, or others' applies undo it")

    try:
        return run(path, None, replace(wishes, accepted=accepted))
    finally:
        if not agreed:
            put_back()
            say(f"host.{host}: {path} is as it was")
