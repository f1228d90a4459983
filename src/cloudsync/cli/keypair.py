"""`keypair create | import | list`: the spec is edited in place; a private key is written once and never shown."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cloudsync.cli.formats import one_of
from cloudsync.cli.keygen import generate
from cloudsync.cli.keystore import private_key_path
from cloudsync.cli.say import out, say
from cloudsync.model.problem import CloudsyncError, SpecError
from cloudsync.render.table import table
from cloudsync.spec.files import given, unlinked

if TYPE_CHECKING:
    from cloudsync.spec.keyring import Keyring

_LARGEST = 1 << 16


def create(path: Path, name: str, kind: str, target: Path | None) -> None:
    """Make a key pair with OpenSSH. The private half is readable by its owner alone and never overwrites a file."""
    from cloudsync.spec.edit import add_keypair
    from cloudsync.spec.keyring import keyring

    one_of(kind, "ed25519", "rsa")
    ring = keyring(path)
    _free(ring, name)
    if not ring.cloud:
        raise CloudsyncError(f"{path} does not say which cloud this is", "write  cloud: NAME")
    file = (target or private_key_path(ring.cloud, name)).absolute()
    _refuse_repository(file)
    _refuse_existing(file)
    public = generate(file, kind, f"{name}@{ring.cloud}")
    try:
        add_keypair(path, name, public)
    except CloudsyncError:
        file.unlink(missing_ok=True)
        file.with_name(file.name + ".pub").unlink(missing_ok=True)
        raise
    say(f"keypair.{name}: private key in {file}, public half in {path}")


def import_key(path: Path, name: str, file: Path) -> None:
    """Put an existing public key into the spec, by value."""
    from cloudsync.spec.edit import add_keypair
    from cloudsync.spec.keyring import keyring
    from cloudsync.spec.publickey import parse

    _free(keyring(path), name)
    try:
        text = sys.stdin.read() if str(file) == "-" else given(file, _LARGEST).decode("utf-8")
        parse(text.strip())
    except (OSError, UnicodeDecodeError):
        raise CloudsyncError(
            f"{file} cannot be read as text", "name a public key, such as ~/.ssh/id_ed25519.pub"
        ) from None
    except ValueError as error:
        raise CloudsyncError(f"{file}: {error}", "name the public half, such as ~/.ssh/id_ed25519.pub") from None
    add_keypair(path, name, text.strip())
    say(f"keypair.{name}: imported into {path}")


def show(path: Path, style: str) -> None:
    """Print name, type, SHA256 and MD5 fingerprints, and the instances that use each."""
    from cloudsync.spec.keyring import keyring
    from cloudsync.spec.publickey import parse

    one_of(style, "text", "json")
    ring = keyring(path)
    if ring.problems:
        raise SpecError(ring.problems)
    rows = []
    for name, line in sorted(ring.keys.items()):
        key, users = parse(line), sorted(ring.users[name])
        rows.append({"name": name, "type": key.type, "sha256": key.sha256, "md5": key.md5, "instances": users})
    if style == "json":
        out(json.dumps({"format_version": 1, "keypairs": rows}, indent=2))
        return
    lines = [(str(r["name"]), str(r["type"]), str(r["sha256"]), str(r["md5"]), ",".join(r["instances"])) for r in rows]
    out(table(("NAME", "TYPE", "SHA256", "MD5", "USED BY"), lines))


def _free(ring: "Keyring", name: str) -> None:
    """A name that may be taken; checked before it becomes a place in the file system."""
    from cloudsync.spec.edit import check_name

    check_name(name)
    if name in ring.names:
        raise CloudsyncError(f"keypair.{name} is in the spec already", "choose another name")


def _refuse_existing(file: Path) -> None:
    for there in (file, file.with_name(file.name + ".pub")):
        if os.path.lexists(there):
            raise CloudsyncError(f"{there} exists and is not overwritten", "choose another place with --out")


def _refuse_repository(file: Path) -> None:
    folder = unlinked(file.parent)
    top = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)
    if top is not None:
        raise CloudsyncError(
            f"{file} lies inside the Git repository {top}",
            "a private key must not be committed: choose another place with --out",
        )
