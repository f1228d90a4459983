"""A private machine for tests and for a person: `python tests/lab/private.py [--uplink] CMD…` runs CMD as root in it.

New mount, network, pid and uts namespaces with a pid 1 that reaps at once, libvirt's and cloudsync's folders replaced
by private ones, an own virtlogd and libvirtd. /tmp is the machine's own. Exits with CMD's code and leaves nothing.
"""

import ctypes
import fcntl
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x04000000, 0x20000000, 0x40000000
PR_SET_PDEATHSIG = 1
SI_KERNEL = 0x80
WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}
NEEDED = {"libvirtd": "libvirt-daemon-system", "virtlogd": "libvirt-daemon-system", "ip": "iproute2", "mount": "mount"}
STATE = Path("/var/lib/cloudsync")
DISKS = Path("/var/tmp")
LIBVIRT = [Path("/var/lib/libvirt"), Path("/var/log/libvirt"), Path("/var/cache/libvirt"), Path("/etc/libvirt")]
NOT_COPIED = ["qemu/*.xml", "qemu/autostart", "qemu/networks", "storage", "secrets", "nwfilter", "libxl", "lxc"]
PATIENCE = 30.0
MARK = "CLOUDSYNC_PRIVATE_MACHINE"
_libc = ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> int:
    uplink = arguments[:1] == ["--uplink"]
    command = arguments[uplink:]
    if not command:
        return _complain("usage: private.py [--uplink] CMD [ARGUMENT…]", 2)
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
    missing = sorted({package for tool, package in NEEDED.items() if not shutil.which(tool)})
    if missing:
        return _complain(f"a private machine needs these Debian packages: apt-get install {' '.join(missing)}", 2)
    if os.geteuid() != 0:
        return _complain("a private machine needs root: sudo " + " ".join([sys.executable, *sys.argv]), 2)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    with _kept(STATE), _disk() as disk:
        _unshare(CLONE_NEWPID)
        child = os.fork()
        if child == 0:
            _be_the_machine(disk, uplink, command)
        return _wait(child, child)


def _complain(text: str, code: int) -> int:
    print(text, file=sys.stderr, flush=True)
    return code


# Outside: what must be there before and gone after.


@contextmanager
def _kept(folder: Path) -> Iterator[None]:
    """`folder` exists, to be mounted over, and is removed by the last one to leave if it was made here.

    Removing it under another private machine would take that one's mount away: hence the lock on it.
    """
    made = not folder.exists()
    while (lock := _lock(folder, fcntl.LOCK_SH)) is None:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    try:
        yield
    finally:
        if made:
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                folder.rmdir()
        os.close(lock)


@contextmanager
def _disk() -> Iterator[Path]:
    """A folder on a real disk for the machine's images: guests' disks would fill memory.

    Its parent is locked while the machine lives. One that is not was left by a killed machine, and is removed.
    """
    for left in DISKS.glob("cloudsync-private.*"):
        lock = _lock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if lock is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)
    lock = None
    while lock is None:
        folder = Path(tempfile.mkdtemp(prefix="cloudsync-private.", dir=DISKS))
        lock = _lock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    disk = folder / "disk"
    disk.mkdir(mode=0o755)
    try:
        yield disk
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _lock(folder: Path, kind: int) -> int | None:
    """A descriptor that holds a lock on `folder`; None when it is held by another, or the folder went away."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    with suppress(OSError):
        fcntl.flock(descriptor, kind)
        if os.fstat(descriptor).st_ino == folder.stat().st_ino:
            return descriptor
    os.close(descriptor)
    return None


def _wait(main_child: int, target: int) -> int:
    """Reap every child until `main_child` is gone, passing signals on to `target`; a second one kills it.

    A key of the terminal reaches the whole foreground group by itself, so that one is not passed on.
    """
    signals = 0
    while True:
        info = signal.sigwaitinfo(WATCHED)
        if info.si_signo == signal.SIGCHLD:
            status = _reap(main_child)
            if status is not None:
                return status
        elif info.si_code != SI_KERNEL:
            signals += 1
            with suppress(ProcessLookupError):
                os.kill(target, info.si_signo if signals == 1 else signal.SIGKILL)


def _reap(main_child: int) -> int | None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == 0:
            return None
        if pid == main_child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


# Inside: pid 1 of the machine.


def _be_the_machine(disk: Path, uplink: bool, command: list[str]) -> NoReturn:
    """When pid 1 is gone the kernel kills the rest and drops the mounts and devices: nothing needs undoing."""
    code = 1
    try:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS)
        _mount_folders(disk)
        _bring_up_network(uplink)
        _configure_libvirt()
        _start_libvirt()
        child = _spawn(command)
        code = _wait(child, child)
    except (OSError, subprocess.CalledProcessError, RuntimeError) as error:
        code = _complain(f"private.py: {error}", 125)
    finally:
        os._exit(code)


def _unshare(flags: int) -> None:
    if _libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "cannot make a namespace", "unshare")


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def _mount_folders(disk: Path) -> None:
    """A /sys of its own shows this network namespace and hides the cgroups, in which libvirt would leave folders."""
    _run("mount", "--make-rprivate", "/")
    _run("mount", "-t", "proc", "proc", "/proc")
    _run("umount", "--recursive", "--lazy", "/sys")
    _run("mount", "-t", "sysfs", "sysfs", "/sys")
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "cloudsync-private", "/mnt")
    for folder in [Path("/run"), *LIBVIRT]:
        private = Path("/mnt") / str(folder).replace("/", "-")
        if folder == Path("/etc/libvirt") or folder == Path("/var/cache/libvirt"):
            shutil.copytree(folder, private, symlinks=True, ignore_dangling_symlinks=True)
        else:
            private.mkdir(mode=0o755)
        folder.mkdir(parents=True, exist_ok=True)
        _run("mount", "--bind", private, folder)
    _run("mount", "--bind", disk, STATE)
    _offer_kvm(Path("/mnt/kvm"))
    _run("umount", "--lazy", "/mnt")
    for name in ("/run/lock", "/run/netns", "/run/sshd", "/var/lib/libvirt/images", "/var/log/libvirt/qemu"):
        Path(name).mkdir(parents=True, exist_ok=True)
    os.environ.pop("XDG_RUNTIME_DIR", None)


def _offer_kvm(node: Path) -> None:
    """A /dev/kvm for the group kvm, as udev makes it. libvirt probes QEMU anew in every call (0.7 s) when its user
    cannot open a /dev/kvm that root can."""
    kvm = Path("/dev/kvm")
    if kvm.exists():
        os.mknod(node, stat.S_IFCHR, kvm.stat().st_rdev)
        with suppress(LookupError):
            shutil.chown(node, group="kvm")
        node.chmod(0o660)
        _run("mount", "--bind", node, kvm)


def _bring_up_network(uplink: bool) -> None:
    """With `uplink`: 198.51.100.1 is the machine, 198.51.100.2 (namespace `outside`) everything else."""
    _run("ip", "link", "set", "lo", "up")
    if not uplink:
        return
    _run("ip", "netns", "add", "outside")
    _run("ip", "link", "add", "uplink0", "type", "veth", "peer", "name", "eth0", "netns", "outside")
    _run("ip", "address", "add", "198.51.100.1/24", "dev", "uplink0")
    _run("ip", "link", "set", "uplink0", "up")
    _run("ip", "-n", "outside", "address", "add", "198.51.100.2/24", "dev", "eth0")
    _run("ip", "-n", "outside", "link", "set", "lo", "up")
    _run("ip", "-n", "outside", "link", "set", "eth0", "up")
    _run("ip", "route", "add", "default", "via", "198.51.100.2")


def _configure_libvirt() -> None:
    """Nothing of the machine's own definitions; no confinement that names paths of the real folders."""
    folder = Path("/etc/libvirt")
    for pattern in NOT_COPIED:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with (folder / "qemu.conf").open("a") as file:
        file.write('\nsecurity_driver = "none"\n')


def _start_libvirt() -> None:
    """libvirtd says READY=1 to $NOTIFY_SOCKET when its drivers have started, with or without systemd."""
    log = Path("/var/log/libvirt/libvirtd.log")
    _spawn(["virtlogd"], log)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind("/run/libvirtd-ready")
        libvirtd = _spawn(["libvirtd"], log, NOTIFY_SOCKET="/run/libvirtd-ready")
        gone = os.pidfd_open(libvirtd)
        readable, _, _ = select.select([ready.fileno(), gone], [], [], PATIENCE)
        os.close(gone)
        Path("/run/libvirtd-ready").unlink()
        if ready.fileno() not in readable:
            raise RuntimeError("libvirtd did not start\n" + log.read_text(errors="replace"))


def _spawn(command: list[str], log: Path | None = None, **environment: str) -> int:
    """Start a child of pid 1 with unblocked signals; its output goes to `log` when one is given."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        if log:
            _redirect(log)
        os.environ.update(environment, **{MARK: "1"})
        os.execvp(command[0], command)  # noqa: S606 (no shell is the point)
    except OSError as error:
        _complain(f"private.py: {command[0]}: {error.strerror}", 127)
    finally:
        os._exit(127)


def _redirect(log: Path) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for target, source in ((0, null), (1, output), (2, output)):
        os.dup2(source, target)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
