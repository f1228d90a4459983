"""The text of /proc/net/route into the interface towards the rest of the world."""

from pathlib import Path

UP = 0x1


def default_interface(routes: str) -> str | None:
    """The interface of the default route with the lowest metric, None without one."""
    best: tuple[int, str] | None = None
    for line in routes.splitlines()[1:]:
        words = line.split()
        if len(words) < 8 or words[1] != "00000000" or words[7] != "00000000" or not int(words[3], 16) & UP:
            continue
        found = (int(words[6]), words[0])
        best = found if best is None else min(best, found)
    return best[1] if best else None


def find() -> str | None:
    """This host's."""
    return default_interface(Path("/proc/net/route").read_text())
