"""OpenSSH's ssh-keygen makes key pairs (the only place that runs it)."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from cloudsync.model.problem import CloudsyncError


def generate(file: Path, kind: str, comment: str) -> str:
    """Write the private key to `file` (0600) and the public one beside it, neither over an existing file.

    Returns the public key line.
    """
    program = shutil.which("ssh-keygen")
    if program is None:
        raise CloudsyncError("ssh-keygen is not there", "install OpenSSH's client: apt-get install openssh-client")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".new-") as folder:
            return _made(program, Path(folder) / "key", file, kind, comment)
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        raise CloudsyncError(f"{file}: {reason}", "choose another place with --out") from None


def _made(program: str, made: Path, file: Path, kind: str, comment: str) -> str:
    size = ["-b", "3072"] if kind == "rsa" else []
    command = [program, "-q", "-t", kind, *size, "-N", "", "-C", comment, "-f", str(made)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise CloudsyncError(f"ssh-keygen failed with code {done.returncode}", f"try: ssh-keygen -t {kind}")
    public = made.with_name("key.pub")
    # A hard link fails when the name is taken meanwhile; a rename would overwrite.
    os.link(made, file)
    try:
        os.link(public, file.with_name(file.name + ".pub"))
    except OSError:
        file.unlink()
        raise
    return public.read_text().strip()
