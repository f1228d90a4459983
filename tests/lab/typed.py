"""A command as a person types it, in a process of its own that is there at once.

Python and the program's libraries are loaded by one process that does nothing else; each command is a copy of it, for a
tenth of the price of one that starts from nothing. What a test interrupts or reads from while it runs does start so.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path

LOADED = ["tests.lab.typed", "tests.lab.warm"]
PATIENCE = 1_800.0


def typed(
    spec: Path, *words: str, env: Mapping[str, str] | None = None, text: str = ""
) -> "subprocess.CompletedProcess[str]":
    """`cloudsync -f SPEC …`; `env` is all of its environment, and `text` its standard input."""
    command = ["-f", str(spec), *words]
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / stream for stream in ("in", "out", "err")]
        files[0].write_text(text)
        place = dict(os.environ if env is None else env)
        process = server(LOADED).Process(target=_be_typed, args=(command, files, place, str(Path.cwd())))
        process.start()
        process.join(PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()
        code = process.exitcode or 0
        out, err = (file.read_text(errors="replace") if file.exists() else "" for file in files[1:])
        process.close()
    return subprocess.CompletedProcess(command, code, out, err)


def server(loaded: list[str]) -> ForkServerContext:
    """Of processes that are copies of one that has loaded these modules, unless it runs already."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(loaded)
    return found


def run_here(command: Sequence[str]) -> None:
    """The program in this process, from which it does not come back."""
    from cloudsync.cli.main import main

    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, encoding="utf-8") for number in (1, 2))
    try:
        main(list(command))
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()


def write_to(*files: Path) -> None:
    """What this process prints and says from now on."""
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)


def stand_in(environment: Mapping[str, str], folder: str) -> None:
    """Be where another process is."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)


def _be_typed(command: list[str], files: list[Path], environment: dict[str, str], folder: str) -> None:
    stand_in(environment, folder)
    os.dup2(os.open(files[0], os.O_RDONLY), 0)
    write_to(*files[1:])
    run_here(command)
