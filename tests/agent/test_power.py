"""What a power cut leaves: a file system of its own, whose image is copied as it is at that moment."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloudsync.agent.boots import Boots
from cloudsync.model.snapshot import Boot
from tests.agent.documents import UUID

pytestmark = pytest.mark.real

KEYS = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xFXNXV4Bi6FhPpnlEZ8bF0n6aIqwJTKBq2qSBuVCb",)


class Disk:
    """Nothing reaches it by itself before the test is over: the journal is written every hour."""

    def __init__(self, folder: Path) -> None:
        self.image, self.place = folder / "disk", folder / "place"
        with self.image.open("wb") as file:
            file.truncate(16 << 20)
        self.place.mkdir()
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True)

    @contextmanager
    def mounted(self) -> Iterator[Path]:
        subprocess.run(["mount", "-o", "loop,commit=3600", self.image, self.place], check=True)
        try:
            yield self.place
        finally:
            subprocess.run(["umount", self.place], check=True)

    def after_a_cut(self) -> "Disk":
        """Another one with what is on this one now."""
        copy = Disk(self.image.parent / "copy")
        copy.image.write_bytes(self.image.read_bytes())
        return copy


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    (tmp_path / "copy").mkdir()
    return Disk(tmp_path)


def test_host_keys_outlive_a_power_cut(disk: Disk) -> None:
    with disk.mounted() as folder:
        Boots(folder / "boots.json").record(Boot(uuid=UUID, host_keys=KEYS))
        copy = disk.after_a_cut()
    with copy.mounted() as folder:
        assert Boots(folder / "boots.json").all()[UUID].host_keys == KEYS


def test_words_that_come_after_them_are_not_waited_for_and_cost_no_key(disk: Disk) -> None:
    with disk.mounted() as folder:
        boots = Boots(folder / "boots.json")
        boots.record(Boot(uuid=UUID, host_keys=KEYS))
        boots.record(Boot(uuid=UUID, host_keys=KEYS, stage="modules-final", finished=True))
        copy = disk.after_a_cut()
    with copy.mounted() as folder:
        known = Boots(folder / "boots.json").all()[UUID]
        assert (known.host_keys, known.finished) == (KEYS, False)


def test_keys_are_known_where_the_rest_was_lost(tmp_path: Path) -> None:
    """Some file systems leave an empty file where one was replaced shortly before the cut."""
    boots = Boots(tmp_path / "boots.json")
    boots.record(Boot(uuid=UUID, host_keys=KEYS, stage="modules-final"))
    (tmp_path / "boots.json").write_bytes(b"")
    assert Boots(tmp_path / "boots.json").all() == {UUID: Boot(uuid=UUID, host_keys=KEYS)}
    boots.keep(())
    assert Boots(tmp_path / "boots.json").all() == {}
