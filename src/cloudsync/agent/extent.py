"""Whether a qcow2 file is as long as its active L1 and L2 tables say. It is read by the function that the caller gives.
Called by inspect.py.

No table is read twice and one is held at a time, so that a file costs no more than its own length to look through.
"""

import sys
from array import array
from collections.abc import Callable, Iterator

from cloudsync.agent.qcow2 import AGAIN, REPAIR, REWRITE, Damaged, Header

Read = Callable[[int, int], bytes]
"""Bytes of the file from an offset on, at most as many as asked for."""

_OFFSET = 0x00FF_FFFF_FFFF_FE00
_COMPRESSED = 1 << 62
_SECTOR, _SUBCLUSTERS = 512, 32
_PIECE = 1 << 20
_MANY = 1 << 18
"""L2 tables. At 64 KiB, which is what qemu-img makes, fewer are enough for the biggest virtual size that is taken."""


def overrun(header: Header, size: int, read: Read) -> tuple[str, str] | None:
    """Why the file, of `size` bytes, cannot hold the image, and the way out; None when it can.

    The header is one without a `qcow2.fault`. Raise Damaged when the file is no longer as long as that.
    """
    end, seen = 0, set[int]()
    for entry in _l1(header, read):
        offset = entry & _OFFSET
        if not offset or offset in seen:
            continue
        if offset % header.cluster:
            return f"its L1 table names an L2 table at {offset}, where no cluster starts", REPAIR
        if len(seen) == _MANY:
            return f"it has more than {_MANY} L2 tables, as its clusters are small", REWRITE
        seen.add(offset)
        end = max(end, offset + header.cluster)
        if offset + header.cluster <= size:
            end = max(end, _end(header, _whole(read, offset, header.cluster)))
    if end > size:
        return f"it ends at {size} bytes, and its data go on to {end}", AGAIN
    return None


def _l1(header: Header, read: Read) -> Iterator[int]:
    end = header.l1_offset + header.l1_entries * 8
    for at in range(header.l1_offset, end, _PIECE):
        yield from _numbers(_whole(read, at, min(_PIECE, end - at)))


def _end(header: Header, table: bytes) -> int:
    """Where the furthest cluster that an L2 table names ends, 0 when it names none."""
    if table == bytes(len(table)):
        return 0
    numbers = _numbers(table)
    entries = numbers[::2] if header.extended_l2 else numbers
    packed = max((_packed_end(header, entry) for entry in entries if entry & _COMPRESSED), default=0)
    if header.extended_l2:
        pairs = zip(entries, numbers[1::2], strict=True)
        plain = (_part_end(header, entry, bitmap) for entry, bitmap in pairs if not entry & _COMPRESSED)
        return max(packed, max(plain, default=0))
    furthest = max((entry & _OFFSET for entry in entries if not entry & _COMPRESSED), default=0)
    return max(packed, furthest + header.cluster if furthest else 0)


def _packed_end(header: Header, entry: int) -> int:
    """QEMU leaves a file that ends with a compressed cluster at any byte of that cluster's last sector."""
    width = 70 - header.cluster_bits
    offset, more_sectors = entry & ((1 << width) - 1), (entry & (_COMPRESSED - 1)) >> width
    return (offset // _SECTOR + more_sectors) * _SECTOR + 1


def _part_end(header: Header, entry: int, bitmap: int) -> int:
    """Of a cluster in 32 parts QEMU writes those that have data, and a file may end with the last of them."""
    used = (bitmap & (1 << _SUBCLUSTERS) - 1).bit_length()
    return (entry & _OFFSET) + used * header.cluster // _SUBCLUSTERS if used else 0


def _numbers(data: bytes) -> "array[int]":
    found = array("Q", data)
    if sys.byteorder == "little":
        found.byteswap()
    return found


def _whole(read: Read, at: int, length: int) -> bytes:
    found = read(at, length)
    if len(found) < length:
        raise Damaged("it became shorter while it was read")
    return found
