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
    size = ["-b", "3072"] if kind == "rsa" else []
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".new-") as folder:
        made = Path(folder) / "key"
        command = [program, "-q", "-t", kind, *size, "-N", "", "-C", comment, "-f", str(made)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode:
            raise CloudsyncError(f"ssh-keygen failed with code {done.returncode}", f"try: ssh-keygen -t {kind}")
        public = made.with_name("key.pub").read_text().strip()
        # A hard link fails when the name is taken meanwhile; a rename would overwrite.
        os.link(made, file)
        os.link(made.with_name("key.pub"), file.with_name(file.name + ".pub"))
    return public
