"""Whether a qcow2 file is as long as its tables say: real files of every kind, the same cut off, and hostile ones."""

import subprocess
from collections.abc import Callable
from hashlib import shake_256
from itertools import product
from pathlib import Path

import pytest

from cloudsync.agent.inspect import ImageInfo, Refused, inspect
from cloudsync.agent.pool import look
from tests.agent.images import boot_disk, judged, judged_bytes, qemu_img

KINDS = (
    "compat=0.10", "compat=1.1", "cluster_size=512", "cluster_size=2M", "extended_l2=on",
    "extended_l2=on,cluster_size=2M", "compat=0.10,cluster_size=512", "preallocation=metadata",
    "preallocation=metadata,extended_l2=on",
)  # fmt: skip
L1_OFFSET, L1_ENTRIES = slice(40, 48), slice(36, 40)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "image"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """It ends within a cluster of every size, and none of its sectors can be compressed."""
    path = tmp_path / "raw"
    path.write_bytes(boot_disk()[:512] + shake_256().digest(3299840 - 512))
    return path


@pytest.fixture
def written(file: Path) -> Callable[..., Path]:
    """An image made with options, then written to by commands of qemu-io."""

    def make(options: str, *commands: str) -> Path:
        qemu_img("create", "-f", "qcow2", "-o", options, file, "8M")
        words = [word for command in commands for word in ("-c", command)]
        subprocess.run(["qemu-io", "-f", "qcow2", *words, str(file)], check=True, capture_output=True)
        return file

    return make


def shorter(path: Path, size: int) -> ImageInfo | Refused:
    return judged_bytes(path.read_bytes()[:size])


def assert_cut_off(found: ImageInfo | Refused, size: int) -> None:
    assert isinstance(found, Refused), found
    assert f"it ends at {size} bytes, and its data go on to " in found.message
    assert found.hint == "download or copy it again: it is cut off"


@pytest.mark.parametrize("options", KINDS)
def test_an_image_with_data_is_taken_and_without_its_last_byte_it_is_not(file: Path, raw: Path, options: str) -> None:
    qemu_img("convert", "-f", "raw", "-O", "qcow2", "-o", options, raw, file)
    assert judged(file) == ImageInfo(format="qcow2", virtual_size=3299840)
    size = file.stat().st_size
    assert_cut_off(shorter(file, size - 1), size - 1)
    assert_cut_off(shorter(file, size * 2 // 3), size * 2 // 3)


@pytest.mark.parametrize(
    ("options", "cluster"),
    [*product(["compat=0.10", "compat=1.1", "compression_type=zstd"], ["512", "64K", "2M"]),
     *product(["extended_l2=on"], ["16K", "64K", "2M"])],
)  # fmt: skip
def test_a_compressed_image_is_taken_and_in_the_middle_of_it_is_not(file: Path, options: str, cluster: str) -> None:
    disk = file.with_name("disk")
    disk.write_bytes(boot_disk())
    qemu_img("convert", "-c", "-f", "raw", "-O", "qcow2", "-o", f"{options},cluster_size={cluster}", disk, file)
    assert judged(file) == ImageInfo(format="qcow2", virtual_size=1 << 20)
    size = file.stat().st_size
    assert_cut_off(shorter(file, size - 1024), size - 1024)


@pytest.mark.parametrize("compat", ["compat=0.10", "compat=1.1", "extended_l2=on"])
def test_compressed_data_may_end_within_their_last_sector(written: Callable[..., Path], compat: str) -> None:
    path = written(compat, "write -c 64K 64K")
    size = path.stat().st_size
    assert size % 512, "qemu-io fills the sector: this shows nothing"
    assert isinstance(judged(path), ImageInfo)
    assert_cut_off(shorter(path, size // 512 * 512), size // 512 * 512)


def test_compressed_data_of_several_sectors_are_looked_for_at_their_last(written: Callable[..., Path]) -> None:
    path = written("compat=1.1", "write -c 64K 64K")
    data = bytearray(path.read_bytes())
    at = l2_offset(data) + 8
    data[at : at + 8] = (1 << 62 | 9 << 54 | 327680).to_bytes(8)
    assert_cut_off(judged_bytes(bytes(data)), len(data))
    end = 327680 + 9 * 512
    assert isinstance(judged_bytes(bytes(data).ljust(end + 1)), ImageInfo)
    assert_cut_off(judged_bytes(bytes(data).ljust(end)), end)


@pytest.mark.parametrize("start", ["0", "6K", "62K"])
def test_a_cluster_in_parts_may_end_with_the_last_that_was_written(written: Callable[..., Path], start: str) -> None:
    path = written("extended_l2=on", f"write {start} 2K")
    size = path.stat().st_size
    assert size % 65536 == {"0": 2048, "6K": 8192, "62K": 0}[start]
    assert isinstance(judged(path), ImageInfo)
    assert_cut_off(shorter(path, size - 1), size - 1)


def test_clusters_of_which_no_part_was_written_need_no_room(file: Path) -> None:
    qemu_img("create", "-f", "qcow2", "-o", "extended_l2=on,preallocation=metadata", file, "3000320")
    assert file.stat().st_size % 65536
    assert isinstance(judged(file), ImageInfo)


def test_parts_that_are_zeros_or_unwritten_need_no_room(written: Callable[..., Path]) -> None:
    path = written("extended_l2=on", "write 0 2K", "write -z 32K 2K")
    assert path.stat().st_size % 65536 == 2048
    assert isinstance(judged(path), ImageInfo)
    data = bytearray(path.read_bytes())
    at = l2_offset(data)
    data[at : at + 16] = (1 << 40).to_bytes(8) + bytes(8)
    assert isinstance(judged_bytes(bytes(data)), ImageInfo)


def test_zeros_need_room_where_they_have_a_cluster(written: Callable[..., Path]) -> None:
    assert isinstance(judged(written("compat=1.1", "write -z 0 4M")), ImageInfo)
    path = written("compat=1.1", "write 64K 64K", "write -z 64K 64K")
    assert isinstance(judged(path), ImageInfo)
    size = path.stat().st_size
    assert_cut_off(shorter(path, size - 1), size - 1)


def test_what_a_snapshot_shares_is_found_without_the_mark_of_a_single_owner(written: Callable[..., Path]) -> None:
    path = written("compat=1.1", "write 0 1M")
    data_end = path.stat().st_size
    qemu_img("snapshot", "-c", "one", path)
    assert isinstance(judged(path), ImageInfo)
    data = bytearray(path.read_bytes())
    entry = l2_offset(data)
    assert not data[entry] & 0x80
    data[entry : entry + 8] = len(data).to_bytes(8)
    assert len(data) > data_end
    assert_cut_off(judged_bytes(bytes(data)), len(data))


def test_an_l2_table_beyond_the_end_is_cut_off(written: Callable[..., Path]) -> None:
    path = written("compat=1.1", "write 0 64K")
    offset = l2_offset(path.read_bytes())
    assert_cut_off(shorter(path, offset), offset)


def l2_offset(data: bytes | bytearray) -> int:
    at = int.from_bytes(data[L1_OFFSET])
    return int.from_bytes(data[at : at + 8]) & 0x00FFFFFFFFFFFE00


def hostile(path: Path, l1: bytes) -> bytes:
    """The image with another L1 table, at its end."""
    data = bytearray(path.read_bytes())
    data += bytes(-len(data) % 65536)
    data[L1_OFFSET], data[L1_ENTRIES] = len(data).to_bytes(8), (len(l1) // 8).to_bytes(4)
    return bytes(data) + l1


class Counted:
    """Reads, and how many there were, how far they went in all, and the longest."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.lengths: list[int] = []

    def __call__(self, at: int, length: int) -> bytes:
        self.lengths.append(length)
        return self.data[at : at + length]


def test_a_table_that_is_named_a_million_times_is_read_once(written: Callable[..., Path]) -> None:
    path = written("compat=1.1", "write 0 64K")
    data = hostile(path, l2_offset(path.read_bytes()).to_bytes(8) * (1 << 20))
    read = Counted(data)
    assert isinstance(inspect(read, len(data), None), ImageInfo)
    assert len(read.lengths) == 1 + 8 + 1
    assert max(read.lengths) <= 2 << 20


def test_a_table_that_begins_within_a_cluster_is_refused_unread(written: Callable[..., Path]) -> None:
    path = written("compat=1.1", "write 0 64K")
    data = hostile(path, b"".join((65536 + 512 * n).to_bytes(8) for n in range(1, 100)))
    read = Counted(data)
    found = inspect(read, len(data), None)
    assert isinstance(found, Refused)
    assert "names an L2 table at 66048, where no cluster starts" in found.message
    assert len(read.lengths) == 2


def test_tables_without_number_are_refused(written: Callable[..., Path]) -> None:
    path = written("compat=1.1")
    data = hostile(path, b"".join((n << 40).to_bytes(8) for n in range(1, 1 << 15)))
    assert_cut_off(judged_bytes(data), len(data))
    data = hostile(path, b"".join((n << 16).to_bytes(8) for n in range(1 << 30, (1 << 30) + (1 << 18) + 1)))
    found = judged_bytes(data)
    assert isinstance(found, Refused)
    assert "more than 262144 L2 tables" in found.message


def test_a_file_that_shrinks_meanwhile_is_refused(written: Callable[..., Path]) -> None:
    path = written("compat=1.1", "write 0 64K")
    data = path.read_bytes()
    found = inspect(lambda at, length: data[: l2_offset(data)][at : at + length], len(data), None)
    assert isinstance(found, Refused)
    assert "became shorter" in found.message


def test_a_file_in_the_pool_is_looked_through_to_its_end(file: Path, raw: Path) -> None:
    qemu_img("convert", "-f", "raw", "-O", "qcow2", raw, file)
    assert isinstance(look(file, None), ImageInfo)
    size = file.stat().st_size // 2
    with file.open("r+b") as opened:
        opened.truncate(size)
    assert_cut_off(look(file, None), size)
