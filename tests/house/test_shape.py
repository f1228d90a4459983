"""Files stay small, are named after one thing, and all stand in the module map."""

import re
from pathlib import Path

from tests.house import tree

LONGEST = 300
WHOLE_JOBS = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"}


def test_no_file_is_long() -> None:
    long = {str(path.relative_to(tree.TOP)): len(tree.text(path).splitlines()) for path in _all()}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def test_no_file_is_named_after_a_whole_job() -> None:
    assert [str(path.relative_to(tree.TOP)) for path in _all() if WHOLE_JOBS & {path.stem, path.parent.name}] == []


def test_every_module_is_in_the_module_map() -> None:
    """Under its package: `agent/firewall/` begins the package's lines, and the modules' names follow."""
    written = _module_map()
    there: dict[str, set[str]] = {}
    for path in tree.python("src/cloudsync"):
        package = path.parent.relative_to(tree.TOP / "src" / "cloudsync")
        there.setdefault("" if package == Path() else f"{package}/", set()).add(path.stem)
    there = {package: modules - {"__init__"} for package, modules in there.items()}
    missing = {package: sorted(modules - written.get(package, set())) for package, modules in there.items()}
    gone = {package: sorted(modules - there.get(package, set())) for package, modules in written.items()}
    assert {package: names for package, names in missing.items() if names} == {}, "not in the module map"
    assert {package: names for package, names in gone.items() if names} == {}, "in the module map, but not there"


def _module_map() -> dict[str, set[str]]:
    """Modules by package, from the indented block of ARCHITECTURE.md's section; text after a `--` is prose."""
    _, heading, rest = tree.text(tree.TOP / "ARCHITECTURE.md").partition("\n## Module map\n")
    assert heading, "ARCHITECTURE.md has no section `## Module map`"
    found: dict[str, set[str]] = {}
    package = ""
    for line in rest.partition("\n## ")[0].splitlines():
        if line.startswith("    "):
            names, _, _ = line.partition(" -- ")
            words = re.findall(r"[a-z0-9_/]+", names)
            if words and words[0].endswith("/"):
                package = words.pop(0)
            found.setdefault(package, set()).update(words)
    return found


def _all() -> list[Path]:
    return tree.python("src", "tests", "demo", "bench")
