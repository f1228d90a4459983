"""A real Git repository in a folder of the test, with hostile things in it on demand."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
QUICK = ("-c", "maintenance.auto=false", "-c", "gc.auto=0", "-c", "core.fsync=none")


@dataclass(frozen=True)
class Repository:
    folder: Path

    @classmethod
    def new(cls, folder: Path) -> "Repository":
        folder.mkdir(exist_ok=True)
        made = cls(folder)
        made.git("init", "-q", "-b", "main", "--template=")
        return made

    def git(self, *words: str, typed: bytes | None = None) -> str:
        command = ["git", "-C", str(self.folder), *IDENTITY, *QUICK, *words]
        return subprocess.run(command, check=True, capture_output=True, input=typed).stdout.decode().strip()

    def commit(self, **files: str | None) -> str:
        """A commit of the folder's files, those given written first; None removes. `/` is written as `__`."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/").replace("_yaml", ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")
