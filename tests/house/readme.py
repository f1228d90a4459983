"""The blocks of README.md that are made from the program: `python -m tests.house.readme` writes them anew."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from cloudsync.cli.exits import Exit
from demo.spec import write
from tests.house import tree

README = tree.TOP / "README.md"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIBcY04NUDzrB1yPDE+iGa15Bqrn6MUd5Xj2xJYBxFRT"


def written(name: str) -> str:
    """What stands there."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", tree.text(README), re.DOTALL)
    assert found, f"README.md has no block {name}"
    return found[1].strip()


def _plan() -> str:
    """The example's first plan, on an empty simulated host in place of the real one."""
    with tempfile.TemporaryDirectory() as folder:
        spec, image = Path(folder) / "cloud.yaml", Path(folder) / "debian-12.qcow2"
        image.write_bytes(bytes(4096))
        write(spec, image, KEY)
        spec.write_text(tree.text(spec).replace("uri: qemu:///system", "uri: 'sim:'"))
        return _printed("-f", str(spec), "plan", XDG_CACHE_HOME=folder)


def _help() -> str:
    """On a terminal of 100 columns."""
    return _printed("--help", COLUMNS="100", TERM="dumb")


def _printed(*words: str, **environment: str) -> str:
    command = [sys.executable, "-m", "cloudsync", *words]
    around = {**os.environ, "NO_COLOR": "1", **environment}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=around)
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def _exits() -> str:
    rows = [f"| {code.value} | {code.__doc__} |" for code in Exit]
    return "\n".join(["| code | meaning |", "| --- | --- |", *rows])


BLOCKS = {"plan": lambda: f"```\n{_plan()}\n```", "help": lambda: f"```\n{_help()}\n```", "exits": _exits}
"""What must stand between `<!-- NAME -->` and `<!-- /NAME -->`."""


def main() -> None:
    text = tree.text(README)
    for name, make in BLOCKS.items():
        block = make()
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda found, block=block: f"{found[1]}{block}\n{found[2]}",  # type: ignore[misc]
            text,
            flags=re.DOTALL,
        )
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
