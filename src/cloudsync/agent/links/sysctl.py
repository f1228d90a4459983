"""The few kernel settings of the data path: what they must be, what they are, and setting them.

Redirects need none: our table drops them on taps, which leaves `all` and `default` as the host has them.
"""

from pathlib import Path

from cloudsync.model.problem import HostError

ROOT = Path("/proc/sys")
FORWARD = "net/ipv4/ip_forward"
# Otherwise reverse path filtering (systemd asks for it on Debian) looks up without the mark, and meets our guards.
MARKED = "net/ipv4/conf/all/src_valid_mark"
MINIMA = {
    "net/ipv4/neigh/default/gc_thresh1": 1024,
    "net/ipv4/neigh/default/gc_thresh2": 4096,
    "net/ipv4/neigh/default/gc_thresh3": 8192,
}
"""Each guest is a neighbour; the kernel's 1024 are for the whole machine. Not there in a network namespace."""


def wrong() -> dict[str, int]:
    """Settings that are not as they must be, with what each must be; in the order in which they are to be set."""
    found = {}
    for name, least in sorted(MINIMA.items(), reverse=True):
        there = _read(name)
        if there is not None and there < least:
            found[name] = least
    return found | {name: 1 for name in (MARKED, FORWARD) if _read(name) != 1}


def put(name: str, value: int, needed: bool = True) -> None:
    """Raise HostError when the kernel refuses; unless `needed`, one that it does not have is passed over."""
    if not needed and _read(name) is None:
        return
    try:
        (ROOT / name).write_text(f"{value}\n")
    except OSError as problem:
        shown = name.replace("/", ".")
        raise HostError(
            f"{shown} cannot be set to {value}: {problem.strerror}", f"as root: sysctl -w {shown}={value}"
        ) from None


def _read(name: str) -> int | None:
    """None when this kernel or namespace has no such setting."""
    try:
        return int((ROOT / name).read_text())
    except (OSError, ValueError):
        return None
