"""What a machine in namespaces is made of: its folders, its libvirt, a pid 1 that reaps at once. Needs root.

`private` makes one of it for a command, `host` one that is a host of the lab.
"""

import ctypes
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x04000000, 0x20000000, 0x40000000
SI_KERNEL = 0x80
WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}
STATE = Path("/var/lib/cloudsync")
LIBVIRT = [Path("/var/lib/libvirt"), Path("/var/log/libvirt"), Path("/var/cache/libvirt"), Path("/etc/libvirt")]
COPIED = [Path("/var/cache/libvirt"), Path("/etc/libvirt")]
NOT_COPIED = ["qemu/*.xml", "qemu/autostart", "qemu/networks", "storage", "secrets", "nwfilter", "libxl", "lxc"]
PATIENCE = 60.0
KEEPALIVE = (2, 5)
"""libvirtd's, in seconds and in number: who does not answer for 12 seconds is given up. Its own 30 are long for a
test."""
MARK = "CLOUDSYNC_PRIVATE_MACHINE"
libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "cannot make a namespace", "unshare")


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def complain(text: str, code: int) -> int:
    print(text, file=sys.stderr, flush=True)
    return code


# Folders


def mount_folders(stored: Path, state: Path) -> None:
    """libvirt's folders are those in `stored`, made when they are not there; cloudsync's is `state`; /run is empty.

    A /sys of its own shows this network namespace and hides the cgroups, in which libvirt would leave folders.
    """
    run("mount", "-t", "proc", "proc", "/proc")
    run("umount", "--recursive", "--lazy", "/sys")
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    for folder in LIBVIRT:
        private = stored / str(folder).strip("/").replace("/", "-")
        if not private.exists():
            _furnish(folder, private)
        folder.mkdir(parents=True, exist_ok=True)
        run("mount", "--bind", private, folder)
    run("mount", "--bind", state, STATE)
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    _offer_kvm(Path("/run/kvm"))
    for name in ("/run/lock", "/run/netns", "/run/sshd", "/var/lib/libvirt/images", "/var/log/libvirt/qemu"):
        Path(name).mkdir(parents=True, exist_ok=True)
    os.environ.pop("XDG_RUNTIME_DIR", None)


def _furnish(folder: Path, private: Path) -> None:
    """Nothing of the machine's own definitions; no confinement that names paths of the real folders."""
    if folder not in COPIED:
        private.mkdir(mode=0o755)
        return
    shutil.copytree(folder, private, symlinks=True, ignore_dangling_symlinks=True)
    if folder != Path("/etc/libvirt"):
        return
    for pattern in NOT_COPIED:
        for path in private.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _set(private / "qemu.conf", "security_driver", '"none"')
    libvirtd = private / "libvirtd.conf"
    _set(libvirtd, "host_uuid", f'"{uuid.uuid4()}"')
    for key, value in zip(("keepalive_interval", "keepalive_count"), KEEPALIVE, strict=True):
        _set(libvirtd, key, str(value))


def _set(file: Path, key: str, value: str) -> None:
    """In one of libvirt's files, where the first line of a key counts."""
    lines = [line for line in file.read_text().splitlines() if line.partition("=")[0].strip() != key]
    file.write_text("\n".join([*lines, f"{key} = {value}", ""]))


def _offer_kvm(node: Path) -> None:
    """A /dev/kvm for the group kvm, as udev makes it. libvirt probes QEMU anew in every call (0.7 s) when its user
    cannot open a /dev/kvm that root can."""
    kvm = Path("/dev/kvm")
    if kvm.exists():
        os.mknod(node, stat.S_IFCHR, kvm.stat().st_rdev)
        with suppress(LookupError):
            shutil.chown(node, group="kvm")
        node.chmod(0o660)
        run("mount", "--bind", node, kvm)


# Processes


def start_libvirt() -> None:
    log = Path("/var/log/libvirt/libvirtd.log")
    spawn(["virtlogd"], log)
    start(["libvirtd"], log)


def execute(command: list[str]) -> None:
    os.execvp(command[0], command)  # noqa: S606 (no shell is the point)


def start(command: list[str], log: Path, be: Callable[[list[str]], None] = execute) -> None:
    """Start a daemon that says READY=1 to $NOTIFY_SOCKET, with or without systemd, and wait until it does."""
    name = Path(command[0]).name
    address = Path(f"/run/{name}-ready")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(str(address))
        daemon = spawn(command, log, be, NOTIFY_SOCKET=str(address))
        gone = os.pidfd_open(daemon)
        try:
            while True:
                readable, _, _ = select.select([ready.fileno(), gone], [], [], PATIENCE)
                if ready.fileno() not in readable:
                    raise RuntimeError(f"{name} did not start\n" + log.read_text(errors="replace"))
                if b"READY=1" in ready.recv(4096):
                    return
        finally:
            os.close(gone)
            address.unlink()


def spawn(
    command: list[str], log: Path | None = None, be: Callable[[list[str]], None] = execute, **environment: str
) -> int:
    """Start a child of pid 1 with unblocked signals, which is what `be` does with `command`; it says so in `log`."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        if log:
            redirect(log)
        os.environ.update(environment, **{MARK: "1"})
        be(command)
    except OSError as error:
        complain(f"{Path(sys.argv[0]).name}: {command[0]}: {error.strerror}", 127)
    finally:
        os._exit(127)


def redirect(log: Path) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for target, source in ((0, null), (1, output), (2, output)):
        os.dup2(source, target)


def wait(main_child: int, target: int) -> int:
    """Reap every child until `main_child` is gone, passing signals on to `target`; a second one kills it.

    A key of the terminal reaches the whole foreground group by itself, so that one is not passed on.
    """
    signals = 0
    while True:
        info = signal.sigwaitinfo(WATCHED)
        if info.si_signo == signal.SIGCHLD:
            status = reap(main_child)
            if status is not None:
                return status
        elif info.si_code != SI_KERNEL:
            signals += 1
            with suppress(ProcessLookupError):
                os.kill(target, info.si_signo if signals == 1 else signal.SIGKILL)


def reap(main_child: int | None = None) -> int | None:
    """Of every child that has ended. The exit code of `main_child` when it is among them."""
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
