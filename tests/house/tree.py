"""What belongs to the repository: the files Git knows or would take. The house tests read it."""

import subprocess
from functools import cache
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


@cache
def files() -> tuple[Path, ...]:
    """Every file that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (TOP / name for name in sorted(set(listed.stdout.split("\0")) - {""}))
    return tuple(path for path in paths if path.is_file())


def python(*folders: str) -> list[Path]:
    """The Python files below `folders`."""
    below = tuple(TOP / folder for folder in folders)
    return [path for path in files() if path.suffix == ".py" and any(path.is_relative_to(folder) for folder in below)]


def text(path: Path) -> str:
    """As UTF-8, whatever it holds."""
    return path.read_text(encoding="utf-8", errors="replace")
