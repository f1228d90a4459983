"""The blocks of README.md that are made from the program: `python -m tests.house.readme` writes them anew."""

import os
import re
import subprocess
import sys

from cloudsync.cli.exits import Exit
from tests.house import tree

README = tree.TOP / "README.md"


def blocks() -> dict[str, str]:
    """What must stand between `<!-- NAME -->` and `<!-- /NAME -->`."""
    rows = [f"| {code.value} | {code.__doc__} |" for code in Exit]
    table = "\n".join(["| code | meaning |", "| --- | --- |", *rows])
    return {"help": f"```\n{_help()}\n```", "exits": table}


def written(name: str) -> str:
    """What stands there."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", tree.text(README), re.DOTALL)
    assert found, f"README.md has no block {name}"
    return found[1].strip()


def _help() -> str:
    """`cloudsync --help` on a terminal of 100 columns."""
    command = [sys.executable, "-m", "cloudsync", "--help"]
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def main() -> None:
    text = tree.text(README)
    for name, block in blocks().items():
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda found, block=block: f"{found[1]}{block}\n{found[2]}",  # type: ignore[misc]
            text,
            flags=re.DOTALL,
        )
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
