"""`keypair create | import | list`: the spec is edited in place; a private key is written once and never shown."""

import json
import os
import sys
from pathlib import Path

from cloudsync.cli.formats import one_of
from cloudsync.cli.keygen import generate
from cloudsync.cli.keystore import private_key_path
from cloudsync.cli.say import out, say
from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import CloudsyncError
from cloudsync.render.table import table


def create(path: Path, name: str, kind: str, target: Path | None) -> None:
    """Make a key pair with OpenSSH. The private half is readable by its owner alone and never overwrites a file."""
    from cloudsync.spec.edit import add_keypair
    from cloudsync.spec.load import load

    one_of(kind, "ed25519", "rsa")
    cloud = load(path)
    _free(cloud, name)
    file = (target or private_key_path(cloud.name, name)).absolute()
    _outside_repository(file, path)
    _refuse_existing(file)
    public = generate(file, kind, f"{name}@{cloud.name}")
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
    from cloudsync.spec.load import load
    from cloudsync.spec.publickey import parse

    _free(load(path), name)
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
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
    from cloudsync.spec.load import load
    from cloudsync.spec.publickey import parse

    one_of(style, "text", "json")
    cloud = load(path)
    rows = []
    for name, keypair in sorted(cloud.keypairs.items()):
        key = parse(keypair.public_key)
        users = sorted(wanted.name for wanted in cloud.instances.values() if name in wanted.keypairs)
        rows.append({"name": name, "type": key.type, "sha256": key.sha256, "md5": key.md5, "instances": users})
    if style == "json":
        out(json.dumps({"format_version": 1, "keypairs": rows}, indent=2))
        return
    lines = [(str(r["name"]), str(r["type"]), str(r["sha256"]), str(r["md5"]), ",".join(r["instances"])) for r in rows]
    out(table(("NAME", "TYPE", "SHA256", "MD5", "USED BY"), lines))


def _free(cloud: Cloud, name: str) -> None:
    if name in cloud.keypairs:
        raise CloudsyncError(f"keypair.{name} is in the spec already", "choose another name")


def _refuse_existing(file: Path) -> None:
    for there in (file, file.with_name(file.name + ".pub")):
        if os.path.lexists(there):
            raise CloudsyncError(f"{there} exists and is not overwritten", "choose another place with --out")


def _outside_repository(file: Path, spec: Path) -> None:
    from cloudsync.spec.files import Folder

    repository = Folder.of(spec).fence
    if file.parent.resolve().is_relative_to(repository):
        raise CloudsyncError(
            f"{file} lies inside {repository}", "a private key must not be committed: choose another place with --out"
        )
