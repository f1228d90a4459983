"""OpenSSH public keys: one line of a .pub file into its parts, or what is wrong with it. Pure; nothing it raises holds
any of the text, which may be a private key."""

import binascii
import hashlib
import struct
from base64 import b64decode, b64encode

from cloudsync.model.dataclass import dataclass

LONGEST = 16 << 10
_CURVES = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
_ECDSA = {f"ecdsa-sha2-{curve}": curve for curve in _CURVES}
_SECURITY_KEYS = ("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com")
TYPES = ("ssh-ed25519", "ssh-rsa", *_ECDSA, *_SECURITY_KEYS)
_PRIVATE = ("PRIVATE KEY", "b3BlbnNzaC1rZXktdjE", "PuTTY-User-Key-File", "AGE-SECRET-KEY-")


class PublicKeyError(ValueError):
    """Not a usable public key; `hint` is what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`type` such as ssh-ed25519, `blob` the decoded key, `comment` possibly empty."""

    type: str
    blob: bytes
    comment: str

    @property
    def line(self) -> str:
        """As OpenSSH writes it, without a line end."""
        text = f"{self.type} {b64encode(self.blob).decode()}"
        return f"{text} {self.comment}" if self.comment else text

    @property
    def sha256(self) -> str:
        """Fingerprint as `ssh-keygen -l` prints it."""
        return "SHA256:" + b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def md5(self) -> str:
        """Fingerprint as Nova prints it: hex pairs with colons, no prefix."""
        digest = hashlib.md5(self.blob, usedforsecurity=False).hexdigest()
        return ":".join(digest[i : i + 2] for i in range(0, 32, 2))


def parse(text: str) -> PublicKey:
    """PublicKeyError (a ValueError) saying what is wrong, unless `text` is one OpenSSH public key."""
    line = text.strip()
    _refuse_other_formats(line)
    kind, _, rest = line.partition(" ")
    _refuse_type(kind, line)
    encoded, _, comment = rest.strip().partition(" ")
    blob = _decode(encoded)
    fields = _fields(blob)
    inside = fields[0].decode("ascii", "replace") if fields else ""
    if inside != kind:
        what = inside if inside in TYPES else "something else"
        raise PublicKeyError(
            f"the line says {kind}, but the key inside is {what}", "copy the line of the .pub file again"
        )
    _check_parts(kind, fields[1:])
    comment = comment.strip()
    if not comment.isprintable():
        raise PublicKeyError("the key's comment has control characters", "remove the comment")
    return PublicKey(kind, blob, comment)


def _refuse_other_formats(line: str) -> None:
    if any(mark in line for mark in _PRIVATE):
        hint = "use the .pub file beside it; if this file was ever committed, make a new key"
        raise PublicKeyError("this is a private key: it must never be here", hint)
    if not line:
        raise PublicKeyError("the key is empty", "paste the line of the .pub file")
    if len(line) > LONGEST:
        raise PublicKeyError("this is too long for a public key", "paste one line of a .pub file")
    if line.startswith(("---- BEGIN SSH2", "-----BEGIN")):
        raise PublicKeyError("this is not OpenSSH's format", "convert it with: ssh-keygen -i -f FILE")
    if "\n" in line or "\r" in line:
        raise PublicKeyError("this is more than one line", "give each key a name of its own")


def _refuse_type(kind: str, line: str) -> None:
    if kind in TYPES and " " in line:
        return
    if kind in TYPES:
        raise PublicKeyError("the key itself is missing after its type", "copy the whole line of the .pub file")
    if kind == "ssh-dss":
        raise PublicKeyError("DSA keys are refused by every current OpenSSH", "make one with: ssh-keygen -t ed25519")
    if "-cert-v0" in kind:
        raise PublicKeyError("this is a certificate, not a key", "use the .pub file without -cert")
    if any(f" {known} " in f" {line} " for known in TYPES):
        raise PublicKeyError("options before the key are not carried over", "start the line with the key's type")
    if line.startswith("AAAA"):
        raise PublicKeyError("the key's type is missing before it", "copy the whole line of the .pub file")
    raise PublicKeyError("this is not an OpenSSH public key", "paste the line of the .pub file: ssh-ed25519 AAAA…")


def _decode(encoded: str) -> bytes:
    try:
        return b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        hint = "copy the whole line of the .pub file, without line breaks"
        raise PublicKeyError("the key is cut off or damaged: it is not base64", hint) from None


def _fields(blob: bytes) -> list[bytes]:
    """RFC 4253 strings: a length of four bytes, then that many."""
    found: list[bytes] = []
    rest = blob
    while rest:
        if len(rest) < 4:
            raise _cut_off()
        (length,) = struct.unpack(">I", rest[:4])
        if len(rest) < 4 + length:
            raise _cut_off()
        found.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    return found


def _cut_off() -> PublicKeyError:
    return PublicKeyError("the key is cut off or damaged", "copy the whole line of the .pub file again")


def _check_parts(kind: str, parts: list[bytes]) -> None:
    if kind == "ssh-rsa":
        _check_rsa(parts)
    elif kind == "ssh-ed25519":
        _expect(len(parts) == 1 and len(parts[0]) == 32)
    elif kind == "sk-ssh-ed25519@openssh.com":
        _expect(len(parts) == 2 and len(parts[0]) == 32)
    else:
        curve = _ECDSA.get(kind, "nistp256")
        extra = 1 if kind.startswith("sk-") else 0
        _expect(len(parts) == 2 + extra and parts[0] == curve.encode() and len(parts[1]) == _CURVES[curve])


def _check_rsa(parts: list[bytes]) -> None:
    _expect(len(parts) == 2 and all(parts))
    bits = int.from_bytes(parts[1], "big").bit_length()
    if bits < 2048:
        raise PublicKeyError(
            f"an RSA key of {bits} bits is too weak: at least 2048", "make one with: ssh-keygen -t ed25519"
        )
    _expect(bits <= 16384)


def _expect(true: bool) -> None:
    if not true:
        raise _cut_off()
