"""What a spec refers to outside itself: public keys, user-data and images, read or hashed. For `load` and `keyring`."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import field
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from cloudsync.model.dataclass import dataclass
from cloudsync.model.unopened import unopened
from cloudsync.spec import publickey
from cloudsync.spec.checks.images import SHA256, bad_source
from cloudsync.spec.digests import Digests
from cloudsync.spec.draft import Draft
from cloudsync.spec.files import FileProblem, Source
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.models import Image, PublicKeyFile
from cloudsync.spec.words import quote

# Nova's limit is 65535 characters of base64.
LARGEST_USER_DATA = 49149

_QCOW2 = b"QFI\xfb"
_LFS = b"version https://git-lfs.github.com/spec/"
_POINTER = "it is a pointer of Git LFS in place of one"
_OTHER = "name a file that can be read, by a path relative to the spec"
_SECTOR = 512
"""Bytes: what a disk is made of."""

T = TypeVar("T")


@dataclass(slots=True)
class Attached:
    """`keys` are public key lines, `images` (sha256, absolute source), `sizes` of image files by sha256, `files` every
    file read, by its real path. `blobs` are what Git calls the content of image files that were not opened."""

    keys: dict[str, str] = field(default_factory=dict)
    user_data: dict[str, bytes] = field(default_factory=dict)
    images: dict[str, tuple[str, str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    blobs: dict[str, str] = field(default_factory=dict)
    files: dict[Path, bytes] = field(default_factory=dict)
    found: list[Finding] = field(default_factory=list)

    def digest(self, spec: bytes) -> str:
        """SHA-256 over the spec, the files that it names and the images' digests."""
        total = hashlib.sha256(b"cloudsync spec 1\n")
        parts = [("spec", hashlib.sha256(spec).hexdigest())]
        parts += [("key", hashlib.sha256(f"{name}\0{line}".encode()).hexdigest()) for name, line in self.keys.items()]
        parts += [
            ("data", hashlib.sha256(name.encode() + b"\0" + data).hexdigest()) for name, data in self.user_data.items()
        ]
        parts += [("image", f"{name} {sha256}") for name, (sha256, _) in self.images.items()]
        for kind, text in sorted(parts):
            total.update(f"{kind} {text}\n".encode())
        return total.hexdigest()


def is_file(source: str) -> bool:
    """Whether an image's source is a file of this machine."""
    return source.startswith("file:")


def attach(draft: Draft, folder: Source, digests: Digests | None) -> Attached:
    """Everything that can be read; what cannot is in `found`. Without `digests` image files are not opened."""
    attached = public_keys(draft, folder)
    for name, instance in draft.instances.items():
        data = instance.user_data
        if data is not None:
            text = data if isinstance(data, str) else None
            _user_data(attached, folder, name, text, "" if isinstance(data, str) else data.file)
    for name, image in draft.images.items():
        _image(attached, folder, name, image, digests)
    if digests:
        digests.save()
    return attached


def referred(draft: Draft, home: Path) -> Iterator[Path]:
    """The files that it names, there or not."""
    yield from (home / one.public_key_file for one in draft.keypairs.values() if isinstance(one, PublicKeyFile))
    for instance in draft.instances.values():
        if instance.user_data is not None and not isinstance(instance.user_data, str):
            yield home / instance.user_data.file
    yield from (home / one for one in image_files(draft))


def image_files(draft: Draft) -> list[str]:
    """As they are named there."""
    return [file_path(image.source) for image in draft.images.values() if is_file(image.source)]


def public_keys(draft: Draft, folder: Source) -> Attached:
    """The key pairs alone."""
    attached = Attached()
    for name, written in draft.keypairs.items():
        _keypair(attached, folder, name, written)
    return attached


def _try(attached: Attached, trail: Trail, secret: bool, make: Callable[[], T]) -> T | None:
    try:
        return make()
    except (FileProblem, publickey.PublicKeyError) as error:
        attached.found.append(Finding(trail, str(error), error.hint or _OTHER, secret=secret))
    return None


def _keypair(attached: Attached, folder: Source, name: str, written: str | PublicKeyFile) -> None:
    trail: Trail = ("keypairs", name)
    text: str | None
    if isinstance(written, str):
        text = written
    else:
        trail = (*trail, "public_key_file")
        data = _try(attached, trail, False, lambda: _inside(attached, folder, written.public_key_file, 64 << 10))
        if data is None:
            return
        text = data.decode("utf-8", "replace")
    # What is no public key at all may be a secret in any form, so its line is not shown.
    shown = isinstance(written, PublicKeyFile) or text.lstrip().startswith(("ssh-", "ecdsa-", "sk-"))
    key = _try(attached, trail, not shown, lambda: publickey.parse(text))
    if key is not None:
        attached.keys[name] = key.line


def _inside(attached: Attached, folder: Source, written: str, limit: int) -> bytes:
    path, data = folder.take(written, limit)
    if data.startswith(_LFS):
        raise FileProblem(f"{quote(written)} is a pointer of Git LFS in place of the file", "git lfs pull")
    attached.files[path] = data
    return data


def _user_data(attached: Attached, folder: Source, name: str, text: str | None, file: str) -> None:
    trail: Trail = ("instances", name, "user_data")
    if text is None:
        trail = (*trail, "file")
        data = _try(attached, trail, False, lambda: _inside(attached, folder, file, 8 << 20))
        if data is None:
            return
    else:
        data = text.encode("utf-8", "surrogatepass")
    if len(data) > LARGEST_USER_DATA:
        message = (
            f"the user-data of {quote(name)} has {len(data):,} bytes, and guests take at most {LARGEST_USER_DATA:,}"
        )
        hint = "compress it with gzip, or let it #include the rest"
        attached.found.append(Finding(trail, message, hint, secret=text is not None))
        return
    attached.user_data[name] = data


def _image(attached: Attached, folder: Source, name: str, image: Image, digests: Digests | None) -> None:
    if not is_file(image.source):
        attached.images[name] = (image.sha256.lower(), image.source)
        return
    trail: Trail = ("images", name, "source")
    if bad_source(image.source) is not None:
        return
    if digests is None:
        source = os.path.normpath(folder.home / file_path(image.source))
        blob = folder.blob(file_path(image.source))
        if blob:
            attached.blobs[name] = blob
        attached.images[name] = (image.sha256.lower() or unopened(source, blob), source)
        return
    path = _try(attached, trail, False, lambda: folder.image(file_path(image.source)))
    if path is None:
        return
    try:
        digest, bare = digests.of(path), _bare(path, image.format)
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        attached.found.append(Finding(trail, f"{quote(str(path))}: {reason}", _OTHER))
        return
    if SHA256.fullmatch(image.sha256) and image.sha256.lower() != digest and bare != _POINTER:
        message = f"the file of image {quote(name)} has another digest than this: it was changed, or is another file"
        attached.found.append(Finding(("images", name, "sha256"), message, f"when the file is right, write {digest}"))
    if bare:
        hint = "git lfs pull" if bare == _POINTER else "name a qcow2 or raw image"
        attached.found.append(Finding(trail, f"{quote(str(path))} is no disk image: {bare}", hint))
    attached.images[name] = (digest, str(path))
    attached.sizes[digest] = path.stat().st_size


def _bare(path: Path, declared: str | None) -> str:
    """Why what is no qcow2 is no raw image either; empty where it can be one. OSError when it cannot be read."""
    with path.open("rb") as file:
        head = file.read(len(_LFS))
    if head == _LFS:
        return _POINTER
    length = path.stat().st_size
    if (declared or ("qcow2" if head.startswith(_QCOW2) else "raw")) != "raw" or (length and length % _SECTOR == 0):
        return ""
    return f"its {length:,} bytes are not whole sectors of {_SECTOR}" if length else "it is empty"


def file_path(source: str) -> str:
    """The path in `file:relative`, `file:/absolute` or `file:///absolute` (percent-encoded in the last)."""
    if source.startswith("file://"):
        return unquote(urlsplit(source).path)
    return source.removeprefix("file:")
