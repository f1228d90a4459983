"""The header of a qcow2 file, read strictly (QEMU's docs/interop/qcow2.txt). Pure; called by inspect.py and pool.py."""

import struct

from cloudsync.model.dataclass import dataclass

MAGIC = b"QFI\xfb"
MAX_VIRTUAL = 64 << 40
HEAD = 2 << 20
"""Header, extensions and backing name lie in the first cluster, and no cluster is bigger than 2 MiB."""

_V2 = struct.Struct(">4sIQIIQIIQQIIQ")
_V3 = struct.Struct(">QQQII")
_EXTENSION = struct.Struct(">II")
_DIRTY, _CORRUPT, _DATA_FILE, _COMPRESSION, _EXTENDED_L2 = (1 << bit for bit in range(5))
_KNOWN = _DIRTY | _CORRUPT | _DATA_FILE | _COMPRESSION | _EXTENDED_L2
_BACKING_FORMAT, _ENCRYPTION, _DATA_NAME = 0xE2792ACA, 0x0537BE77, 0x44415441
_FLATTEN = "flatten it: qemu-img convert -O qcow2 IMAGE FLAT.qcow2"
REWRITE = "write it anew: qemu-img convert -O qcow2 IMAGE NEW.qcow2"
REPAIR = "repair it: qemu-img check -r all IMAGE"
AGAIN = "download or copy it again: it is cut off"
_DECRYPT = "decrypt it: qemu-img convert with --object secret, -O qcow2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    version: int
    backing_offset: int
    backing_size: int
    cluster_bits: int
    virtual_size: int
    encryption: int
    l1_entries: int
    l1_offset: int
    refcount_offset: int
    refcount_clusters: int
    snapshots: int
    snapshots_offset: int
    incompatible: int = 0
    refcount_order: int = 4
    length: int = 72
    compression: int = 0
    extensions: tuple[tuple[int, bytes], ...] = ()

    @property
    def cluster(self) -> int:
        return 1 << self.cluster_bits

    @property
    def extended_l2(self) -> bool:
        """An L2 entry has 16 bytes: the second half says which of 32 parts of its cluster are allocated."""
        return bool(self.incompatible & _EXTENDED_L2)


class Damaged(ValueError):
    """Not a whole qcow2 header; the text says what is wrong."""


def parse(head: bytes) -> Header:
    """Raise Damaged unless `head` starts with a whole header whose numbers can be trusted to read on."""
    if len(head) < _V2.size:
        raise Damaged("the qcow2 header is cut off")
    fields = _V2.unpack_from(head)
    names = ("version", "backing_offset", "backing_size", "cluster_bits", "virtual_size", "encryption", "l1_entries",
             "l1_offset", "refcount_offset", "refcount_clusters", "snapshots", "snapshots_offset")  # fmt: skip
    values = dict(zip(names, fields[1:], strict=True))
    if values["version"] not in (2, 3):
        raise Damaged(f"qcow version {values['version']} is not known, only 2 and 3 are")
    if not 9 <= values["cluster_bits"] <= 21:
        raise Damaged(f"cluster bits {values['cluster_bits']} are outside 9 to 21")
    if values["version"] == 3:
        values |= _version_3(head, 1 << values["cluster_bits"])
    return Header(**values, extensions=_extensions(head, values))


def _version_3(head: bytes, cluster: int) -> dict[str, int]:
    if len(head) < _V2.size + _V3.size:
        raise Damaged("the qcow2 header is cut off")
    incompatible, _, _, refcount_order, length = _V3.unpack_from(head, _V2.size)
    if length < 104 or length % 8 or length > min(cluster, len(head)):
        raise Damaged(f"a qcow2 header of {length} bytes cannot be")
    compression = head[104] if length > 104 else 0
    return {"incompatible": incompatible, "refcount_order": refcount_order, "length": length,
            "compression": compression}  # fmt: skip


def _extensions(head: bytes, values: dict[str, int]) -> tuple[tuple[int, bytes], ...]:
    """They run from the header's end to an end mark, the backing name or the end of the first cluster."""
    at, found = values.get("length", 72), []
    end = min(1 << values["cluster_bits"], values["backing_offset"] or len(head), len(head))
    while at + _EXTENSION.size <= end:
        kind, length = _EXTENSION.unpack_from(head, at)
        if kind == 0:
            break
        at += _EXTENSION.size
        if length > end - at:
            raise Damaged("a qcow2 header extension runs out of the header")
        found.append((kind, head[at : at + length]))
        at += (length + 7) // 8 * 8
    return tuple(found)


def backing(head: bytes) -> str | None:
    """The name of the file it stands on, None without one. Raise Damaged when it cannot be told."""
    header = parse(head)
    if not header.backing_offset:
        return None
    end = header.backing_offset + header.backing_size
    if not 0 < header.backing_size <= 1023 or end > min(len(head), header.cluster):
        raise Damaged("the name of the backing file lies outside the header")
    return head[header.backing_offset : end].decode(errors="surrogateescape")


def fault(header: Header, size: int) -> tuple[str, str] | None:
    """Why the file may not be used as an image, and the way out; None when it may. `size` is the file's, in bytes."""
    kinds = {kind for kind, _ in header.extensions}
    if header.backing_offset or header.backing_size or _BACKING_FORMAT in kinds:
        return "it stands on a backing file, which would be opened on the host", _FLATTEN
    if header.incompatible & _DATA_FILE or _DATA_NAME in kinds:
        return "it keeps its data in another file, which would be opened on the host", _FLATTEN
    if header.encryption or _ENCRYPTION in kinds:
        return "it is encrypted", _DECRYPT
    if header.incompatible & ~_KNOWN:
        return f"it needs qcow2 features that are not known (bits {header.incompatible & ~_KNOWN:#x})", REWRITE
    if header.incompatible & (_DIRTY | _CORRUPT):
        word = "corrupt" if header.incompatible & _CORRUPT else "not closed properly"
        return f"it is marked as {word}", REPAIR
    return _nonsense(header) or _outside(header, size)


def _nonsense(header: Header) -> tuple[str, str] | None:
    if header.refcount_order > 6:
        return f"refcount order {header.refcount_order} is above 6", REWRITE
    if header.compression > 1 or (header.compression == 1) != bool(header.incompatible & _COMPRESSION):
        return f"compression type {header.compression} does not fit its feature bits", REWRITE
    if not 0 < header.virtual_size <= MAX_VIRTUAL:
        return f"a virtual size of {header.virtual_size} bytes is outside 1 byte to 64 TiB", REWRITE
    entry = 16 if header.extended_l2 else 8
    covered = header.cluster * (header.cluster // entry)
    if header.l1_entries * covered < header.virtual_size or header.l1_entries > 4 << 20:
        return f"an L1 table of {header.l1_entries} entries does not fit its virtual size", REWRITE
    return None


def _outside(header: Header, size: int) -> tuple[str, str] | None:
    """A table that lies outside the file: cut off, or made to be read as something else."""
    tables = (
        ("L1 table", header.l1_offset, header.l1_entries * 8),
        ("refcount table", header.refcount_offset, header.refcount_clusters * header.cluster),
        ("snapshot table", header.snapshots_offset, header.snapshots * 40),
    )
    for name, offset, length in tables:
        if not length and name == "snapshot table":
            continue
        if offset % header.cluster or offset < header.cluster or offset + length > size:
            return (
                f"its {name} lies outside the file, which has {size} bytes",
                AGAIN,
            )
    return None
