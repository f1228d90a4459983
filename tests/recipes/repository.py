"""A bare repository as a forge keeps one, hosts that outlive each job, and the machine on which a job's scripts run."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.cli.specs import APART
from tests.recipes import program
from tests.spec.repository import Repository

TOKENS = ("comment-token", "job-token", "PRIVATE KEY")


@dataclass(frozen=True)
class Scene:
    """`folder` is the test's own; `desk` is where a person commits, `bare` what the forge has."""

    folder: Path

    @property
    def bare(self) -> Path:
        return self.folder / "forge.git"

    @property
    def desk(self) -> Repository:
        return Repository(self.folder / "desk")

    @property
    def key(self) -> Path:
        return self.folder / "secret" / "key"

    @property
    def spec(self) -> str:
        """APART on hosts whose state is kept here."""
        text = APART
        for name in ("h1", "h2"):
            text = text.replace(f"{name}: {{uri: 'sim:'}}", f"{name}: {{uri: 'sim:?path={self.folder}/{name}.json'}}")
        return text

    @classmethod
    def new(cls, folder: Path, signed: bool = True) -> "Scene":
        """With the spec on main, and who may sign snapshots if they are `signed`."""
        made = cls(folder)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", made.bare], check=True)
        Repository.new(made.desk.folder).git("remote", "add", "origin", made.bare.as_uri())
        made.key.parent.mkdir()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ci", "-f", made.key], check=True)
        if signed:
            public = made.key.with_suffix(".pub").read_text()
            (made.desk.folder / "allowed_signers").write_text(f"ci {public}")
        made.push("main", made.spec)
        return made

    def push(self, branch: str, text: str) -> str:
        """A commit of that spec on the branch, which begins at main."""
        desk = self.desk
        if branch != "main":
            desk.git("checkout", "-q", "-B", branch, "main")
        (desk.folder / "cloud.yaml").write_text(text)
        head = desk.commit()
        desk.git("push", "-q", "-f", "origin", branch)
        return head

    def merge(self, branch: str) -> None:
        """As a person does with the forge's button."""
        self.desk.git("checkout", "-q", "main")
        self.desk.git("merge", "-q", "--no-ff", "-m", "merge", branch)
        self.desk.git("push", "-q", "origin", "main")

    def cloned(self, name: str, ref: str, depth: int = 0) -> Path:
        """What the forge lays out for a job."""
        place = self.folder / "jobs" / name
        place.mkdir(parents=True)
        deep = [f"--depth={depth}"] if depth else []
        for words in (
            ("init", "-q", "-b", "job"),
            ("remote", "add", "origin", self.bare.as_uri()),
            ("fetch", "-q", *deep, "origin", ref),
            ("checkout", "-q", "--detach", "FETCH_HEAD"),
        ):
            subprocess.run(["git", "-C", place, *words], check=True, capture_output=True)
        return place


@dataclass(frozen=True)
class Machine:
    """Where a job's scripts run, as bash runs them on a forge. What they install is only written down."""

    folder: Path

    @property
    def installed(self) -> str:
        return (self.folder / "installed").read_text()

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    @classmethod
    def new(cls, folder: Path) -> "Machine":
        made = cls(folder)
        for name in ("bin", "home", "temp"):
            (folder / name).mkdir(parents=True)
        program.put(folder / "bin" / "cloudsync")
        for name in ("apt-get", "pipx", "sudo"):
            other = folder / "bin" / name
            other.write_text(f'#!/bin/sh\necho {name} "$@" >>{folder}/installed\n')
            other.chmod(0o755)
        return made

    def run(self, script: str, place: Path, **env: str) -> "subprocess.CompletedProcess[str]":
        """Nothing of this process's own environment is there."""
        path = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.defpath}"
        plain = {"PATH": path, "HOME": str(self.folder / "home"), "LANG": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1"}
        plain |= {"GIT_CONFIG_GLOBAL": "/dev/null", "TMPDIR": str(self.temp)}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        # One log, as a forge keeps it: what goes to stderr stands there between the rest.
        done = subprocess.run(
            command,
            cwd=place,
            env={**plain, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert not [word for word in TOKENS if word in done.stdout], "a secret is in the log"
        return done
