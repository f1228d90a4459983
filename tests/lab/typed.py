"""A command as a person types it, in a process of its own that is there at once.

Python and the program's libraries are loaded by one process that does nothing else; each command is a copy of it, for a
tenth of the price of one that starts from nothing. What a test interrupts or reads from while it runs does start so.
"""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.lab.copied import run_here, server, stand_in, write_to

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
        process = server().Process(target=_be_typed, args=(command, files, place, str(Path.cwd())))
        process.start()
        process.join(PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()
        code = process.exitcode or 0
        out, err = (file.read_text(errors="replace") if file.exists() else "" for file in files[1:])
        process.close()
    return subprocess.CompletedProcess(command, code, out, err)


def _be_typed(command: list[str], files: list[Path], environment: dict[str, str], folder: str) -> None:
    stand_in(environment, folder)
    os.dup2(os.open(files[0], os.O_RDONLY), 0)
    write_to(*files[1:])
    run_here(command)
