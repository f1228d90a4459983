"""Images: where they come from and how their content is pinned."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from cloudsync.spec.draft import Draft
from cloudsync.spec.finding import Finding
from cloudsync.spec.words import PRIVATE, quote

_URL = "for example https://example.org/image.qcow2"

SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


def sources(draft: Draft) -> Iterator[Finding]:
    for name, image in draft.images.items():
        trail = ("images", name, "source")
        wrong = bad_source(image.source)
        if wrong is not None:
            message, hint = wrong
            yield Finding(trail, message, hint, secret="@" in image.source)


def bad_source(source: str) -> tuple[str, str] | None:
    """Message and hint unless it is a URL or `file:PATH`."""
    scheme = source.partition(":")[0].lower() if ":" in source else ""
    if scheme == "file":
        local = not source.startswith("file://") or source.startswith("file:///")
        return None if local else (f"{quote(source)} names a host", "write file:PATH, or file:///absolute/path")
    if scheme not in ("http", "https"):
        path = not scheme and source.isprintable() and not PRIVATE.search(source)
        hint = f"write file:{source}" if path and source else "write an http(s) URL, or file:PATH"
        return f"{quote(source)} is neither a URL nor a file", hint
    try:
        parts = urlsplit(source)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return f"{quote(source)} is not a URL", _URL
    if "@" in parts.netloc:
        return (
            "a user or password must not stand in an image's URL",
            "serve the image without a login, or use file:PATH",
        )
    if not host or any(char.isspace() or not char.isprintable() for char in source):
        return f"{quote(source)} is not a URL", _URL
    return None


def digests(draft: Draft) -> Iterator[Finding]:
    for name, image in draft.images.items():
        trail = ("images", name, "sha256")
        if image.sha256 and not SHA256.fullmatch(image.sha256):
            yield Finding(trail, f"{quote(image.sha256)} is not a SHA-256", _digest_hint(image.sha256))
        elif not image.sha256 and image.source.lower().startswith(("http:", "https:")):
            message = f"image {quote(name)} comes from the network and has no sha256"
            yield Finding(("images", name), message, "add  sha256: …, as its publisher prints it", at_key=True)


def _digest_hint(text: str) -> str:
    if text.lower().startswith("sha256:"):
        return "remove the sha256: in front"
    if len(text) == 128:
        return "this has the length of a SHA-512: print the other with  sha256sum FILE"
    return f"64 hexadecimal digits; this has {len(text)} characters"


CHECKS = (sources, digests)
