"""What `validate` prints for cases/NAME.yaml. `python -m tests.spec.golden` writes the .txt files: read the diff."""

import os
import tempfile
from pathlib import Path

from cloudsync.model.problem import SpecError
from cloudsync.render.problems import text
from cloudsync.spec.load import load

CASES = Path(__file__).parent / "cases"
ROOT = Path(__file__).parents[2]


def specs() -> list[Path]:
    return sorted(CASES.glob("*.yaml"))


def rendered(spec: Path) -> str:
    """All problems, with the paths of this checkout shortened."""
    try:
        load(spec)
    except SpecError as error:
        return (
            text(error.problems, colour=False)
            .replace(f"{CASES}/", "")
            .replace(str(CASES), ".")
            .replace(str(ROOT), "/repo")
        )
    return "no problems\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        for spec in specs():
            spec.with_suffix(".txt").write_text(rendered(spec), encoding="utf-8")
