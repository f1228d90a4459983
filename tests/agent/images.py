"""Image files made by the real qemu-img."""

import subprocess
import sys
from array import array
from functools import cache
from pathlib import Path

from cloudsync.agent.inspect import ImageInfo, Refused, inspect


def qemu_img(*words: str | Path) -> None:
    """For LUKS it times its own CPU use first, and on a busy machine now and then gives up on that."""
    for _ in range(20):
        done = subprocess.run(["qemu-img", *map(str, words)], capture_output=True, text=True)
        if "accurate CPU usage" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr


def judged(path: Path, declared: str | None = None) -> ImageInfo | Refused:
    return judged_bytes(path.read_bytes(), declared)


def judged_bytes(data: bytes, declared: str | None = None) -> ImageInfo | Refused:
    return inspect(lambda at, length: data[at : at + length], len(data), declared)


@cache
def boot_disk(size: int = 1 << 20) -> bytes:
    """A raw disk with a boot sector's mark, and content that compresses badly enough to tell offsets apart."""
    count = array("Q", range(size // 8))
    if sys.byteorder == "little":
        count.byteswap()
    body = bytearray(count.tobytes())
    body[510:512] = b"\x55\xaa"
    return bytes(body)
