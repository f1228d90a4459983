"""The disk pool of one host: overlays on cached images, uploads in flight, growing and deleting. Called by host.py.

libvirt keeps its own list of a pool's files. It is refreshed only when a file that should be there is not on it.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event as Flag
from typing import Any
from xml.etree import ElementTree as ET

from cloudsync.hosts.libvirt.connection import Connection, lv
from cloudsync.hosts.libvirt.disk_xml import data_disk
from cloudsync.hosts.libvirt.domain_xml import image_volume, root_disk
from cloudsync.hosts.libvirt.pair import between
from cloudsync.model.problem import HostError
from cloudsync.model.spare import shortage

POOL = "cloudsync"
FOLDER = "/var/lib/cloudsync/pool"
_CHUNK = 256 << 10
"""As much as one message of libvirt's protocol carries of a stream."""


class Pool:
    """The directory pool `cloudsync`; made, started and set to start with libvirtd when it is missing."""

    def __init__(self, connection: Connection, folder: str = FOLDER) -> None:
        self.folder = folder
        self._connection = connection
        # libvirt refuses to refresh a pool while a volume is being made in it.
        self._making = threading.Lock()

    def capacity(self) -> int:
        """Size of the file system that the pool is on, in bytes."""
        with self._connection.doing("read the disk pool's size"):
            return int(self._pool().info()[1])

    def make_root(self, uuid: str, size: int, image: str, image_format: str) -> bool:
        """The root disk of `size` bytes over the image. False when there was one already, which is kept as it is."""
        name = root_disk(uuid)
        return self._make(name, _overlay(name, size, f"{self.folder}/{image_volume(image)}", image_format))

    def make_data(self, disk: str, size: int) -> bool:
        """An empty data disk. False when it was there already, which is kept as it is."""
        return self._make(data_disk(disk), ET.tostring(_volume(data_disk(disk), size, "qcow2"), encoding="unicode"))

    def _make(self, name: str, text: str) -> bool:
        with self._connection.doing(f"make the disk {name}"), self._making:
            pool = self._pool()
            try:
                pool.createXML(text)
            except lv.libvirtError as error:
                if self._there_already(pool, name, error):
                    return False
                pool.createXML(text)
        return True

    def grow_root(self, uuid: str, size: int) -> None:
        """Make the root disk of a stopped machine at least `size` bytes; never smaller."""
        self.grow(root_disk(uuid), size)

    def grow(self, name: str, size: int) -> None:
        """Make the disk of a stopped machine at least `size` bytes; never smaller."""
        with self._connection.doing(f"grow the disk {name}"):
            volume = self._existing(name)
            if int(volume.info()[1]) < size:
                volume.resize(size)

    def size(self, name: str) -> int:
        """What a guest sees of the disk, in bytes. HostError when it is missing."""
        with self._connection.doing(f"look at the disk {name}"):
            return int(self._existing(name).info()[1])

    def copy(self, name: str, target: "Pool", bandwidth: int, progress: Callable[[str], None], stop: Flag) -> None:
        """The disk's file, as it is, over the one that `target` has. Nothing may run on either.

        At most `bandwidth` bytes a second, 0 for all there is.
        """
        with between(self._connection, target._connection, f"take in the disk {name}") as (raw, goal):
            volume = self._existing(name)
            size = int(volume.info()[2])
            reading, writing = raw.newStream(), goal.newStream()
            try:
                volume.download(reading, 0, 0)
                target._existing(name).upload(writing, 0, 0)
                _send(writing, Paced(reading, bandwidth, stop), size, progress)
                reading.finish()
                writing.finish()
            except BaseException:
                for stream in (reading, writing):
                    with suppress(lv.libvirtError):
                        stream.abort()
                raise

    def delete_root(self, uuid: str) -> None:
        """Remove the root disk; nothing happens when it is gone."""
        self.delete(root_disk(uuid))

    def delete(self, name: str) -> None:
        """Remove a disk; nothing happens when it is gone."""
        with self._connection.doing(f"delete the disk {name}"):
            volume = self._find(name)
            if volume is not None:
                volume.delete()

    def upload(self, source: Path, sha256: str, progress: Callable[[str], None]) -> None:
        """Stream a file of the controller into `incoming-SHA256`, replacing what an earlier try left."""
        name = f"incoming-{sha256}"
        try:
            file = source.open("rb")
        except OSError as error:
            raise HostError(
                f"{source} cannot be read: {error.strerror}", "check `source:` of the image in the spec"
            ) from error
        with file, self._connection.doing(f"upload {source.name}") as raw:
            size = source.stat().st_size
            volume = self._fresh(name, size)
            stream = raw.newStream()
            try:
                volume.upload(stream, 0, size)
                _send(stream, file, size, progress)
                stream.finish()
            except BaseException:
                with suppress(lv.libvirtError):
                    stream.abort()
                with suppress(lv.libvirtError):
                    volume.delete()
                raise

    def _fresh(self, name: str, size: int) -> Any:
        with self._making:
            pool = self._pool()
            with suppress(lv.libvirtError):
                pool.storageVolLookupByName(name).delete()
            # libvirt knows what was free when it last looked; while something comes in, it does not look again.
            with suppress(lv.libvirtError):
                pool.refresh(0)
            lacks = shortage(size, int(pool.info()[3]))
            if lacks:
                raise HostError(
                    f"the pool {self.folder} is full: {lacks}",
                    f"make room: df -h {self.folder}; images that no machine uses go with the next apply",
                )
            return pool.createXML(_incoming(name, size))

    def _find(self, name: str) -> Any:
        """The volume, looked for on the disk too; None when there is none."""
        pool = self._pool()
        try:
            return pool.storageVolLookupByName(name)
        except lv.libvirtError as error:
            if error.get_error_code() != lv.VIR_ERR_NO_STORAGE_VOL:
                raise
        with self._making:
            pool.refresh()
        try:
            return pool.storageVolLookupByName(name)
        except lv.libvirtError as error:
            if error.get_error_code() != lv.VIR_ERR_NO_STORAGE_VOL:
                raise
            return None

    def _existing(self, name: str) -> Any:
        volume = self._find(name)
        if volume is None:
            raise HostError(
                f"host {self._connection.host}: the disk {name} is missing in {self.folder}",
                "put it back from a backup, or delete the instance and create it anew",
            )
        return volume

    def _there_already(self, pool: Any, name: str, error: Any) -> bool:
        """Whether a failed create means that the disk exists; a name without a file is taken off libvirt's list."""
        if error.get_error_code() == lv.VIR_ERR_STORAGE_VOL_EXIST:
            volume = pool.storageVolLookupByName(name)
            try:
                volume.info()
            except lv.libvirtError:
                volume.delete()
                return False
            return True
        pool.refresh()
        with suppress(lv.libvirtError):
            pool.storageVolLookupByName(name)
            return True
        raise error

    def _pool(self) -> Any:
        """Looked up once per connection: every lookup is a round trip."""
        return self._connection.kept(self._ready)

    def _ready(self, raw: Any) -> Any:
        try:
            pool = raw.storagePoolLookupByName(POOL)
        except lv.libvirtError as error:
            if error.get_error_code() != lv.VIR_ERR_NO_STORAGE_POOL:
                raise
            pool = raw.storagePoolDefineXML(_directory(self.folder))
            pool.setAutostart(1)
        target = ET.fromstring(pool.XMLDesc()).findtext("target/path")
        if target != self.folder:
            raise HostError(
                f"host {self._connection.host}: the storage pool {POOL} is at {target}, not {self.folder}",
                f"rename that pool (virsh pool-dumpxml {POOL}, pool-undefine, pool-define under another name)",
            )
        if not pool.isActive():
            try:
                pool.create(lv.VIR_STORAGE_POOL_CREATE_WITH_BUILD)
            except lv.libvirtError:
                # Another thread or controller was quicker.
                if not pool.isActive():
                    raise
        return pool


class Paced:
    """What libvirt sends, as a file to read from, no faster than `bandwidth` bytes a second, 0 for all there is; what a
    pause kept back is not made up for. HostError once `stop` is set."""

    def __init__(self, stream: Any, bandwidth: int, stop: Flag) -> None:
        self._stream, self._bandwidth, self._stop = stream, bandwidth, stop
        self._due = 0.0

    def read(self, size: int) -> bytes:
        if self._stop.wait(max(0.0, self._due - time.monotonic())):
            raise HostError("the move was interrupted", "apply again to move it")
        data = bytes(self._stream.recv(size))
        if self._bandwidth:
            self._due = time.monotonic() + len(data) / self._bandwidth
        return data


def _send(stream: Any, file: Any, size: int, progress: Callable[[str], None]) -> None:
    sent, told = 0, -1
    while chunk := file.read(_CHUNK):
        while chunk:
            count = stream.send(chunk)
            chunk = chunk[count:]
            sent += count
        percent = sent * 100 // max(size, 1)
        if percent != told:
            told = percent
            progress(f"{percent}% of {size / (1 << 20):.0f} MiB")


def _volume(name: str, size: int, kind: str) -> ET.Element:
    volume = ET.Element("volume")
    ET.SubElement(volume, "name").text = name
    ET.SubElement(volume, "capacity", unit="bytes").text = str(size)
    ET.SubElement(volume, "allocation", unit="bytes").text = "0"
    target = ET.SubElement(volume, "target")
    ET.SubElement(target, "format", type=kind)
    return volume


def _overlay(name: str, size: int, base: str, base_format: str) -> str:
    volume = _volume(name, size, "qcow2")
    backing = ET.SubElement(volume, "backingStore")
    ET.SubElement(backing, "path").text = base
    ET.SubElement(backing, "format", type=base_format)
    return ET.tostring(volume, encoding="unicode")


def _incoming(name: str, size: int) -> str:
    volume = _volume(name, size, "raw")
    return ET.tostring(volume, encoding="unicode")


def _directory(folder: str) -> str:
    """Mode 0711: QEMU's user passes through, nobody lists."""
    pool = ET.Element("pool", type="dir")
    ET.SubElement(pool, "name").text = POOL
    target = ET.SubElement(pool, "target")
    ET.SubElement(target, "path").text = folder
    permissions = ET.SubElement(target, "permissions")
    ET.SubElement(permissions, "mode").text = "0711"
    return ET.tostring(pool, encoding="unicode")
