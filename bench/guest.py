"""A guest that boots in seconds under emulation: Debian's kernel, busybox, one address, and an echo on TCP port 7.

`python -m bench.guest` builds DISK as root, unless it is there; the two packages come from the Debian mirror that this
machine's apt uses. bench/moves.py boots it where there is no mirror.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

DISK = Path(__file__).resolve().parent.parent / "build" / "bench" / "guest.raw"
ADDRESS = "10.20.0.9"
GATEWAY = "10.20.0.1"
_LOADER = "DEFAULT linux\nPROMPT 0\nLABEL linux\n  LINUX vmlinuz\n  INITRD initrd\n  APPEND net.ifnames=0 quiet\n"
_MODULES = (
    *("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci"),
    *("failover", "net_failover", "virtio_net"),
)
_INIT = f"""\
#!/bin/sh
mount -t devtmpfs dev /dev
for m in {" ".join(_MODULES)}; do insmod /m/$m.ko; done
ip address add {ADDRESS}/24 dev eth0
ip link set eth0 up
ip route add default via {GATEWAY}
while :; do nc -l -p 7 -e /bin/cat; done
"""


def main() -> None:
    if not DISK.exists():
        DISK.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=DISK.parent) as folder:
            _disk(Path(folder)).rename(DISK)


def _disk(folder: Path) -> Path:
    """A raw disk in `folder`."""
    packages = folder / "packages"
    packages.mkdir(parents=True)
    kernel = _run("apt-cache", "depends", "--important", "linux-image-cloud-amd64").split("Depends: ")[1].split()[0]
    # apt's own user cannot write here, which it tells on stderr and is no harm.
    _run("apt-get", "download", "busybox-static", kernel, at=packages)
    for package in packages.glob("*.deb"):
        _run("dpkg-deb", "-x", package, packages / "all")
    return _boot_disk(folder, packages / "all", _initrd(folder, packages / "all"))


def _initrd(folder: Path, files: Path) -> bytes:
    root = folder / "root"
    for name in ("bin", "dev", "m"):
        (root / name).mkdir(parents=True)
    busybox = root / "bin" / "busybox"
    shutil.copy(files / "bin" / "busybox", busybox)
    for name in ("sh", "cat", "ip", "nc", "insmod", "mount"):
        (root / "bin" / name).symlink_to("busybox")
    for module in (files / "lib" / "modules").rglob("*.ko"):
        if module.stem in _MODULES:
            shutil.copy(module, root / "m")
    (root / "init").write_text(_INIT)
    (root / "init").chmod(0o755)
    names = _run("find", ".", at=root)
    packed = subprocess.run(
        [busybox, "cpio", "-o", "-H", "newc"], cwd=root, input=names.encode(), capture_output=True, check=True
    )
    return packed.stdout


def _boot_disk(folder: Path, files: Path, initrd: bytes) -> Path:
    made, at = folder / "guest.raw", folder / "mounted"
    at.mkdir()
    with made.open("wb") as file:
        file.truncate(40 << 20)
    _run("mkfs.ext4", "-q", "-F", "-O", "^64bit,^metadata_csum", "-m", "0", made)
    _run("mount", "-o", "loop", made, at)
    try:
        (at / "boot").mkdir()
        shutil.copy(next((files / "boot").glob("vmlinuz-*")), at / "boot" / "vmlinuz")
        (at / "boot" / "initrd").write_bytes(initrd)
        (at / "boot" / "syslinux.cfg").write_text(_LOADER)
        _run("extlinux", "--install", at / "boot")
    finally:
        _run("umount", at)
    return made


def _run(*command: str | Path, at: Path | None = None) -> str:
    return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
