"""What a saved file carries against being changed on its way: a digest always, an ssh signature when asked for.

Called by store.py. The digest catches a hand that meant well; the signature says whose file it is.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError


@dataclass(frozen=True, slots=True)
class Seal:
    """`digest` is the SHA-256 of the body's JSON with sorted keys; `signature` is ssh-keygen's, armoured, or empty."""

    digest: str
    signature: str = ""


def seal(body: bytes, noun: str, key: Path | None) -> Seal:
    """For `body`, JSON of a `noun`."""
    digest = _digest(json.loads(body))
    if key is None:
        return Seal(digest)
    from cloudsync.cli.keygen import sign

    return Seal(digest, sign(_signed(noun, digest), key, _namespace(noun)))


def confirm(file: Mapping[str, object], noun: str, path: Path, signers: Path | None) -> str:
    """CloudsyncError when the `noun` in `file` is not the one that was saved, or is of none of `signers`; who it is of,
    empty where nobody asked."""
    found = file.get("seal")
    digest = found.get("digest") if isinstance(found, dict) else None
    signature = found.get("signature") if isinstance(found, dict) else None
    if digest != _digest(file.get(noun)):
        raise CloudsyncError(f"{path} was changed after it was saved", f"make the {noun} again")
    if signers is None:
        return ""
    if not isinstance(signature, str) or not signature:
        raise CloudsyncError(f"{path} is not signed", f"make the {noun} again, with --sign KEY")
    from cloudsync.cli.keygen import signer

    return signer(_signed(noun, str(digest)).encode(), signature, signers, _namespace(noun))


def _digest(body: object) -> str:
    return sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _signed(noun: str, digest: str) -> str:
    return f"cloudsync {noun} {digest}\n"


def _namespace(noun: str) -> str:
    """ssh's signatures are good for one purpose only."""
    return f"cloudsync-{noun}"
