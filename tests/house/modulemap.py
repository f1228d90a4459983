"""Print the module map as ARCHITECTURE.md wants it: `python -m tests.house.modulemap`."""

import sys
import textwrap

from tests.house import tree


def drawn() -> str:
    """One indented paragraph for each package."""
    source = tree.TOP / "src" / "cloudsync"
    packages: dict[str, list[str]] = {}
    for path in tree.python("src/cloudsync"):
        package = str(path.parent.relative_to(source))
        packages.setdefault("" if package == "." else f"{package}/", []).append(path.stem)
    lines = []
    for package, modules in sorted(packages.items()):
        names = "  ".join(sorted(set(modules) - {"__init__"}))
        lead = f"    {package:<18} "
        lines.append(textwrap.fill(names, 118, initial_indent=lead, subsequent_indent=" " * len(lead)))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(drawn() + "\n")
