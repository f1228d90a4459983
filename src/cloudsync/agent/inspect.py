"""A file into what kind of image it is, or why it is refused. It is read by the function given; called by pool.py.

Nothing is guessed: a file is qcow2 by a sound header, raw when it carries no other format's mark.
"""

from cloudsync.agent import extent, qcow2
from cloudsync.agent.extent import Read
from cloudsync.model.dataclass import dataclass

HEAD = qcow2.HEAD
TAIL = 512
"""Fixed VHD and DMG files are known by their last sector alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    """`format` is qcow2 or raw; `virtual_size` is what a guest sees, in bytes."""

    format: str
    virtual_size: int


@dataclass(frozen=True, slots=True)
class Refused:
    """`message` completes "the image …"; `hint` is the way out."""

    message: str
    hint: str


_HEAD_MARKS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"KDMV", "a VMDK disk", "convert"),
    (0, b"COWD", "a VMDK disk", "convert"),
    (0, b"# Disk DescriptorFile", "a VMDK descriptor", "convert"),
    (0, b"<<< ", "a VirtualBox disk (VDI)", "convert"),
    (64, b"\x7f\x10\xda\xbe", "a VirtualBox disk (VDI)", "convert"),
    (0, b"conectix", "a Virtual PC disk (VHD)", "convert"),
    (0, b"vhdxfile", "a Hyper-V disk (VHDX)", "convert"),
    (0, b"QED\x00", "a QED disk", "convert"),
    (0, b"WithoutFreeSpace", "a Parallels disk", "convert"),
    (0, b"WithouFreSpacExt", "a Parallels disk", "convert"),
    (0, b"Bochs Virtual HD Image", "a Bochs disk", "convert"),
    (0, b"LUKS\xba\xbe", "an encrypted disk (LUKS)", "decrypt"),
    (0, b"\x1f\x8b", "compressed with gzip", "gunzip"),
    (0, b"\xfd7zXZ\x00", "compressed with xz", "unxz"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd", "unzstd"),
    (0, b"BZh", "compressed with bzip2", "bunzip2"),
    (0, b"PK\x03\x04", "a zip archive", "unzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x"),
    (257, b"ustar", "a tar archive (an OVA is one)", "tar -xf"),
)
_TAIL_MARKS = ((b"conectix", "a Virtual PC disk (VHD)"), (b"koly", "an Apple disk (DMG)"))
_HTML = (b"<!doctype html", b"<html", b"<?xml")
_ISO9660 = 32769
_UNPACK = "give the sha256 and the source of what is in it"


def inspect(read: Read, size: int, declared: str | None) -> ImageInfo | Refused:
    """`size` is the file's, in bytes; `declared` is qcow2, raw or None."""
    if not size:
        return Refused("is empty", "check its source")
    head = read(0, HEAD)
    if head.startswith(qcow2.MAGIC):
        return _qcow2(head, read, size, declared)
    refused = _other_format(head, read(max(0, size - TAIL), TAIL))
    if refused:
        return refused
    if declared == "qcow2":
        return Refused("is declared as qcow2 but does not start as one", "write `format: raw`, or check its source")
    return _raw(head, size, declared)


def _qcow2(head: bytes, read: Read, size: int, declared: str | None) -> ImageInfo | Refused:
    if declared == "raw":
        return Refused("is declared as raw but is a qcow2 file", "write `format: qcow2`, or leave `format` out")
    try:
        header = qcow2.parse(head)
        fault = qcow2.fault(header, size) or extent.overrun(header, size, read)
    except qcow2.Damaged as error:
        return Refused(f"cannot be used: {error}", "convert it: qemu-img convert -O qcow2 IMAGE NEW.qcow2")
    if fault:
        return Refused(f"cannot be used: {fault[0]}", fault[1])
    return ImageInfo(format="qcow2", virtual_size=header.virtual_size)


def _raw(head: bytes, size: int, declared: str | None) -> ImageInfo | Refused:
    if declared is None and not _bootable(head):
        if head[_ISO9660 : _ISO9660 + 5] == b"CD001":
            return Refused("is a CD image that no machine can boot as a disk", "use a cloud image (qcow2 or raw)")
        return Refused(
            "is neither qcow2 nor a raw disk with a boot sector",
            "if it is meant to be a bare raw disk, write `format: raw`",
        )
    return ImageInfo(format="raw", virtual_size=size)


def _bootable(head: bytes) -> bool:
    """A boot sector's mark, or a GPT (which lies in the second sector, of 512 or 4096 bytes)."""
    return head[510:512] == b"\x55\xaa" or b"EFI PART" in (head[512:520], head[4096:4104])


def _other_format(head: bytes, tail: bytes) -> Refused | None:
    for offset, mark, name, remedy in _HEAD_MARKS:
        if head[offset : offset + len(mark)] == mark:
            return Refused(f"is {name}", _way_out(remedy))
    for mark, name in _TAIL_MARKS:
        if tail.startswith(mark):
            return Refused(f"is {name}", _way_out("convert"))
    text = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(_HTML):
        return Refused(
            "is a web page, not a disk", "the source answers with a page (a login or an error): check the URL"
        )
    return None


def _way_out(remedy: str) -> str:
    if remedy == "convert":
        return "convert it: qemu-img convert -O qcow2 IMAGE NEW.qcow2"
    if remedy == "decrypt":
        return "decrypt it: qemu-img convert with --object secret, -O qcow2"
    return f"unpack it ({remedy}) and {_UNPACK}"
