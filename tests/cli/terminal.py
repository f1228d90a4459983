"""Typing a command: what it printed and the code it ended with, in this process."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

from cloudsync.cli.main import main


@dataclass(frozen=True)
class Typed:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Terminal:
    """A folder with a spec in it, and a keyboard that is not a terminal."""

    folder: Path
    name: str = "cloud.yaml"

    @property
    def spec(self) -> Path:
        return self.folder / self.name

    def write(self, text: str) -> None:
        self.spec.write_text(text)

    def type(self, *words: str) -> Typed:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main(["-f", str(self.spec), *words])
            except SystemExit as end:
                code = end.code
        assert isinstance(code, int)
        assert "Traceback" not in err.getvalue()
        return Typed(code, out.getvalue(), err.getvalue())
