"""Keys that sign commits, and the file that says who may."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.spec.repository import Repository


@dataclass(frozen=True)
class Signer:
    key: Path

    @classmethod
    def new(cls, folder: Path, name: str) -> "Signer":
        key = folder / name
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key)]
        subprocess.run(command, check=True, capture_output=True)
        return cls(key)

    def line(self, options: str = "") -> str:
        """One of an ALLOWED SIGNERS file."""
        return f"{self.key.name}@example.org {options} {self.key.with_name(self.key.name + '.pub').read_text()}"

    def commit(self, repository: Repository, *words: str) -> str:
        """A signed commit of the folder's files, or, with `merge` and more words, a signed merge."""
        sign = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={self.key}")
        repository.git("add", "-A")
        done = words or ("commit", "--allow-empty")
        repository.git(*sign, *done, "-q", "-S", "-m", "signed")
        return repository.git("rev-parse", "HEAD")
