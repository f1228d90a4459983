"""Which files may become a machine's disk: real files of each kind, and hostile ones."""

import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsync.agent.inspect import ImageInfo, Refused
from tests.agent.images import boot_disk, judged, judged_bytes, qemu_img
from tests.effort import tries


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "image"


@pytest.fixture
def qcow2(file: Path) -> Path:
    qemu_img("create", "-f", "qcow2", file, "64M")
    return file


def refused(path: Path, declared: str | None = None) -> Refused:
    found = judged(path, declared)
    assert isinstance(found, Refused), found
    assert found.hint
    return found


def patch(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


@pytest.mark.parametrize(
    "options",
    ["compat=0.10", "compat=1.1", "cluster_size=512", "cluster_size=2M", "compression_type=zstd", "extended_l2=on",
     "lazy_refcounts=on", "refcount_bits=1", "preallocation=metadata"],
)  # fmt: skip
@pytest.mark.parametrize("declared", [None, "qcow2"])
def test_every_plain_qcow2_is_taken(file: Path, options: str, declared: str | None) -> None:
    qemu_img("create", "-f", "qcow2", "-o", options, file, "64M")
    assert judged(file, declared) == ImageInfo(format="qcow2", virtual_size=64 << 20)


def test_a_qcow2_with_content_snapshots_and_bitmaps_is_taken(file: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.write_bytes(boot_disk())
    qemu_img("convert", "-f", "raw", "-O", "qcow2", "-c", raw, file)
    qemu_img("snapshot", "-c", "one", file)
    qemu_img("bitmap", "--add", file, "two")
    assert judged(file) == ImageInfo(format="qcow2", virtual_size=1 << 20)


@pytest.mark.parametrize("backing_format", ["qcow2", "raw"])
def test_a_backing_file_is_refused(tmp_path: Path, file: Path, backing_format: str) -> None:
    base = tmp_path / "base"
    qemu_img("create", "-f", backing_format, base, "8M")
    qemu_img("create", "-f", "qcow2", "-b", base, "-F", backing_format, file, "8M")
    found = refused(file)
    assert "backing file" in found.message
    assert "qemu-img convert -O qcow2" in found.hint


def test_a_backing_format_without_a_backing_name_is_refused(tmp_path: Path, file: Path) -> None:
    base = tmp_path / "base"
    qemu_img("create", "-f", "raw", base, "8M")
    qemu_img("create", "-f", "qcow2", "-b", base, "-F", "raw", file, "8M")
    patch(file, 8, bytes(12))
    assert "backing file" in refused(file).message


@pytest.mark.parametrize("raw", ["on", "off"])
def test_an_external_data_file_is_refused(tmp_path: Path, file: Path, raw: str) -> None:
    qemu_img("create", "-f", "qcow2", "-o", f"data_file={tmp_path / 'data'},data_file_raw={raw}", file, "8M")
    assert "another file" in refused(file).message


def test_the_data_file_bit_alone_and_the_name_alone_are_refused(tmp_path: Path, file: Path) -> None:
    qemu_img("create", "-f", "qcow2", "-o", f"data_file={tmp_path / 'data'}", file, "8M")
    patch(file, 72, bytes(8))
    assert "another file" in refused(file).message
    qemu_img("create", "-f", "qcow2", file, "8M")
    patch(file, 72, (4).to_bytes(8, "big"))
    assert "another file" in refused(file).message


@pytest.mark.parametrize(
    "compat",
    [pytest.param("compat=1.1,encrypt.format=luks", marks=pytest.mark.slow), "compat=0.10,encrypt.format=aes"],
)
def test_encryption_is_refused(file: Path, compat: str) -> None:
    options = f"{compat},encrypt.key-secret=s"
    if "luks" in compat:
        options += ",encrypt.iter-time=10"
    qemu_img("create", "--object", "secret,id=s,data=abc", "-f", "qcow2", "-o", options, file, "8M")
    assert "encrypted" in refused(file).message


@pytest.mark.parametrize(
    ("offset", "data", "word"),
    [
        (72, (1).to_bytes(8, "big"), "not closed properly"),
        (72, (2).to_bytes(8, "big"), "corrupt"),
        (72, (1 << 40).to_bytes(8, "big"), "not known"),
        (4, (4).to_bytes(4, "big"), "version 4"),
        (4, (1).to_bytes(4, "big"), "version 1"),
        (20, (22).to_bytes(4, "big"), "cluster bits 22"),
        (20, (8).to_bytes(4, "big"), "cluster bits 8"),
        (24, bytes(8), "virtual size"),
        (24, ((64 << 40) + 1).to_bytes(8, "big"), "virtual size"),
        (24, (1 << 40).to_bytes(8, "big"), "L1 table"),
        (36, (0xFFFFFFFF).to_bytes(4, "big"), "L1 table"),
        (40, (1 << 60).to_bytes(8, "big"), "L1 table lies outside"),
        (40, (12345).to_bytes(8, "big"), "L1 table lies outside"),
        (48, (1 << 62).to_bytes(8, "big"), "refcount table lies outside"),
        (60, (1 << 30).to_bytes(4, "big"), "snapshot table lies outside"),
        (96, (7).to_bytes(4, "big"), "refcount order 7"),
        (100, (13).to_bytes(4, "big"), "header of 13 bytes"),
        (100, (1 << 30).to_bytes(4, "big"), "bytes cannot be"),
        (104, b"\x01", "compression type 1"),
        (116, (0x7FFFFFFF).to_bytes(4, "big"), "runs out of the header"),
    ],
)
def test_a_header_that_was_tampered_with_is_refused(qcow2: Path, offset: int, data: bytes, word: str) -> None:
    patch(qcow2, offset, data)
    assert word in refused(qcow2).message


def test_a_qcow2_that_is_cut_off_is_refused(qcow2: Path) -> None:
    whole = qcow2.read_bytes()
    for size in (4, 40, 71, 80, 103, 512, 65536):
        qcow2.write_bytes(whole[:size])
        assert "cannot be used" in refused(qcow2).message


@pytest.mark.parametrize(
    ("kind", "options"),
    [("vmdk", []), ("vmdk", ["-o", "subformat=streamOptimized"]), ("vmdk", ["-o", "subformat=monolithicFlat"]),
     ("vmdk", ["-o", "subformat=twoGbMaxExtentSparse"]), ("vdi", []), ("vpc", []), ("vpc", ["-o", "subformat=fixed"]),
     ("vhdx", []), ("qed", []), ("parallels", []), ("qcow", [])],
)  # fmt: skip
@pytest.mark.parametrize("declared", [None, "raw", "qcow2"])
def test_disks_of_other_programs_are_refused_with_how_to_convert_them(
    file: Path, kind: str, options: list[str], declared: str | None
) -> None:
    subprocess.run(["qemu-img", "create", "-f", kind, *options, str(file), "8M"], check=True, capture_output=True)
    found = refused(file, declared)
    assert "convert" in found.hint or (kind == "qcow" and declared == "raw")


def test_the_extent_of_a_vmware_disk_is_refused(tmp_path: Path) -> None:
    head = b"COWD" + bytes(2000)
    assert isinstance(judged_bytes(head, "raw"), Refused)


@pytest.mark.slow
def test_luks_is_refused(file: Path) -> None:
    options = "key-secret=s,iter-time=10"
    qemu_img("create", "--object", "secret,id=s,data=abc", "-f", "luks", "-o", options, file, "1M")
    assert "encrypted" in refused(file, "raw").message


@pytest.mark.parametrize("program", ["gzip", "xz", "bzip2"])
def test_compressed_files_are_refused_with_how_to_unpack_them(tmp_path: Path, program: str) -> None:
    path = tmp_path / "disk"
    path.write_bytes(boot_disk())
    packed = tmp_path / "packed"
    packed.write_bytes(subprocess.run([program, "-c", path], check=True, capture_output=True).stdout)
    found = refused(packed, "raw")
    assert program in found.message
    assert "unpack" in found.hint


def test_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(boot_disk())
    subprocess.run(["tar", "-C", tmp_path, "-cf", tmp_path / "a.tar", "disk"], check=True)
    assert "tar archive" in refused(tmp_path / "a.tar", "raw").message


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"\n <!DOCTYPE html><html>", "web page"),
        (b"<HTML>", "web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Error/>", "web page"),
        (b"PK\x03\x04", "zip"),
        (b"", "empty"),
        (b"#!/bin/sh\n", "neither qcow2 nor a raw disk"),
        (bytes(100_000), "neither qcow2 nor a raw disk"),
        (bytes(32769) + b"CD001" + bytes(1000), "CD image"),
    ],
)
def test_what_is_no_disk_is_refused(head: bytes, word: str) -> None:
    found = judged_bytes(head)
    assert isinstance(found, Refused)
    assert word in found.message


def test_an_apple_disk_is_known_by_its_end() -> None:
    data = boot_disk() + b"koly" + bytes(508)
    assert isinstance(judged_bytes(data, "raw"), Refused)


def test_a_raw_disk_is_taken_when_it_can_boot() -> None:
    mbr = boot_disk()
    gpt = bytes(512) + b"EFI PART" + bytes(5000)
    gpt_4k = bytes(4096) + b"EFI PART" + bytes(5000)
    for data in (mbr, gpt, gpt_4k):
        info = ImageInfo(format="raw", virtual_size=len(data))
        assert judged_bytes(data) == info


def test_a_bare_raw_disk_is_taken_when_it_is_declared() -> None:
    data = bytes(100_000)
    assert judged_bytes(data, "raw") == ImageInfo(format="raw", virtual_size=100_000)


def test_the_declared_format_must_be_the_one_found(qcow2: Path, tmp_path: Path) -> None:
    assert "declared as raw but is a qcow2" in refused(qcow2, "raw").message
    raw = tmp_path / "raw"
    raw.write_bytes(boot_disk())
    assert "declared as qcow2" in refused(raw, "qcow2").message


@given(st.binary(max_size=4000), st.sampled_from([None, "qcow2", "raw"]))
def test_any_bytes_get_an_answer(data: bytes, declared: str | None) -> None:
    found = judged_bytes(data, declared)
    if isinstance(found, ImageInfo):
        assert found.format == "raw"
        assert declared == "raw" or data[510:512] == b"\x55\xaa" or b"EFI PART" in data


_FIELDS = struct.Struct(">4sIQIIQI")
_PATCH = st.tuples(st.integers(4, 200), st.binary(min_size=1, max_size=8))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "image"
    qemu_img("create", "-f", "qcow2", path, "8M")
    return path.read_bytes()


@settings(max_examples=tries(300))
@given(patches=st.lists(_PATCH, max_size=3))
def test_any_change_of_a_header_is_judged_and_what_is_taken_opens_nothing_else(
    good: bytes, patches: list[tuple[int, bytes]]
) -> None:
    data = bytearray(good)
    for offset, new in patches:
        data[offset : offset + len(new)] = new
    found = judged_bytes(bytes(data))
    if isinstance(found, ImageInfo):
        _, version, backing, backing_size, _, size, encryption = _FIELDS.unpack_from(data)
        assert (backing, backing_size, encryption) == (0, 0, 0)
        assert found.virtual_size == size <= 64 << 40
        assert version == 2 or not int.from_bytes(data[72:80], "big") & 0b111
    else:
        assert patches
