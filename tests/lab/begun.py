"""A command as a person types it, that a test reads from and interrupts while it runs; a copy, as in `typed`."""

import os
from collections.abc import Mapping
from pathlib import Path
from threading import Thread

from tests.effort import PATIENCE
from tests.lab.copied import Copy, Passed, run_here, stand_in


class Begun(Copy):
    """`cloudsync -f SPEC …`, whose stderr is for the caller to read; `env` is all of its environment. Nobody hears its
    stdout."""

    def __init__(self, spec: Path, *words: str, env: Mapping[str, str] | None = None) -> None:
        heard, said = os.pipe()
        place = dict(os.environ if env is None else env)
        try:
            super().__init__(_be_begun, ["-f", str(spec), *words], place, str(Path.cwd()), Passed(said))
        finally:
            os.close(said)
        self.stderr = os.fdopen(heard)
        self.returncode: int | None = None

    def communicate(self, timeout: float = PATIENCE) -> tuple[None, str]:
        """What else it says until it ends, and all that it started."""
        said: list[str] = []
        reading = Thread(target=lambda: said.append(self.stderr.read()), daemon=True)
        reading.start()
        reading.join(timeout)
        assert said, f"it did not end in {timeout:g} s"
        self.stderr.close()
        self.returncode = self.wait(timeout)
        return None, said[0]


def _be_begun(command: list[str], environment: dict[str, str], folder: str, said: int) -> None:
    stand_in(environment, folder)
    null = os.open(os.devnull, os.O_RDWR)
    for number, stream in enumerate((null, null, said)):
        os.dup2(stream, number)
    os.close(said)
    run_here(command)
