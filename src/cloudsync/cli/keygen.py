"""OpenSSH's ssh-keygen makes key pairs, signs and checks signatures (the only place that runs it)."""

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from cloudsync.model.problem import CloudsyncError


def generate(file: Path, kind: str, comment: str) -> str:
    """Write the private key to `file` (0600) and the public one beside it, neither over an existing file.

    Returns the public key line.
    """
    program = _program()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".new-") as folder:
            return _made(program, Path(folder) / "key", file, kind, comment)
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        raise CloudsyncError(f"{file}: {reason}", "choose another place with --out") from None


def sign(text: str, key: Path, namespace: str) -> str:
    """The armoured signature; `key` is a private key, or a public one whose other half ssh-agent holds."""
    _confirm_file(key, "there is no such key", "give the path of an OpenSSH key")
    done = _asked("-Y", "sign", "-q", "-f", str(key), "-n", namespace, stdin=text.encode())
    if done.returncode:
        raise CloudsyncError(f"{key} cannot sign: {_reason(done)}", "a key with a passphrase has to be in ssh-agent")
    return done.stdout.decode()


def signer(text: bytes, signature: str, allowed: Path, namespace: str) -> str:
    """Who of the file `allowed` (ssh-keygen's ALLOWED SIGNERS) signed it; CloudsyncError when nobody of them did."""
    confirm_signers(allowed)
    with tempfile.TemporaryDirectory(prefix="cloudsync-signature-") as folder:
        file = Path(folder) / "signature"
        file.write_text(signature)
        where = ("-f", str(allowed), "-s", str(file))
        found = _asked("-Y", "find-principals", *where)
        name = next(iter(found.stdout.decode(errors="replace").splitlines()), "")
        if found.returncode or not name:
            raise CloudsyncError(f"it is signed by nobody of {allowed}", "have one of them make it, with --sign")
        done = _asked("-Y", "verify", *where, "-I", name, "-n", namespace, stdin=text)
    if done.returncode:
        raise CloudsyncError("the signature is not of what is in it", "make it again")
    return name


def confirm_signers(allowed: Path) -> None:
    """CloudsyncError unless there is such a file: ssh-keygen reads it more than once."""
    _confirm_file(allowed, "there is no such file", "one line for each who may sign: NAME KEY")


def _confirm_file(path: Path, missing: str, hint: str) -> None:
    """CloudsyncError unless a regular file is there."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise CloudsyncError(f"{path}: {missing}", hint) from None
    except OSError as error:
        raise CloudsyncError(f"{path}: {(error.strerror or 'it cannot be read').lower()}", hint) from None
    if not stat.S_ISREG(mode):
        raise CloudsyncError(f"{path} is {'a folder' if stat.S_ISDIR(mode) else 'not a regular file'}", hint)


def _asked(*arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """Nobody is asked for a passphrase."""
    quiet = {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}
    command = [_program(), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, env=quiet, start_new_session=True)


def _reason(done: "subprocess.CompletedProcess[bytes]") -> str:
    return next(
        iter(done.stderr.decode(errors="replace").strip().splitlines()), f"ssh-keygen ended with code {done.returncode}"
    )


def _program() -> str:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise CloudsyncError("ssh-keygen is not there", "install OpenSSH's client: apt-get install openssh-client")
    return program


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
