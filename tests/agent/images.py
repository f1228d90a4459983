"""Image files made by the real qemu-img."""

import subprocess
from pathlib import Path

from cloudsync.agent.inspect import HEAD, TAIL, ImageInfo, Refused, inspect


def qemu_img(*words: str | Path) -> None:
    """For LUKS it times its own CPU use first, and on a busy machine now and then gives up on that."""
    for _ in range(20):
        done = subprocess.run(["qemu-img", *map(str, words)], capture_output=True, text=True)
        if "accurate CPU usage" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr


def judged(path: Path, declared: str | None = None) -> ImageInfo | Refused:
    data = path.read_bytes()
    return inspect(data[:HEAD], data[-TAIL:], len(data), declared)


def boot_disk(size: int = 1 << 20) -> bytes:
    """A raw disk with a boot sector's mark, and content that compresses badly enough to tell offsets apart."""
    body = bytearray(b"".join(index.to_bytes(8, "big") for index in range(size // 8)))
    body[510:512] = b"\x55\xaa"
    return bytes(body)
