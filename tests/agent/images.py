"""Image files made by the real qemu-img."""

import subprocess
from pathlib import Path

from cloudsync.agent.inspect import HEAD, TAIL, ImageInfo, Refused, inspect


def qemu_img(*words: str | Path) -> None:
    subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True)


def judged(path: Path, declared: str | None = None) -> ImageInfo | Refused:
    data = path.read_bytes()
    return inspect(data[:HEAD], data[-TAIL:], len(data), declared)


def boot_disk(size: int = 1 << 20) -> bytes:
    """A raw disk with a boot sector's mark, and content that compresses badly enough to tell offsets apart."""
    body = bytearray(b"".join(index.to_bytes(8, "big") for index in range(size // 8)))
    body[510:512] = b"\x55\xaa"
    return bytes(body)
