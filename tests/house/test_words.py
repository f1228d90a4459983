"""Nothing in the tree names one machine, one mirror or unfinished work."""

import re
from pathlib import Path

from tests.house import tree

# In pieces, or this file would be the first to hold them.
ELSEWHERE = [
    r"/wo" r"rk/",
    r"/fa" r"rm/",
    r"\.lib" r"rary/",
    r"deb\.deb" r"ian\.",
    r"py" r"pi\.org",
    r"registry\.np" r"m",
    r"/opt/wh" r"eels",
]
UNFINISHED = [r"(#|//|<!--).*\b(TO" r"DO|FIX" r"ME|XX" r"X)\b", r"NotImpl" r"ementedError"]
EVASIVE = [
    r"pytest\.sk" r"ip",
    r"pytest\.xf" r"ail",
    r"importor" r"skip",
    r"mark\.sk" r"ip",
    r"mark\.xf" r"ail",
    r"mock\.pat" r"ch",
    r"monkeypatch\.seta" r"ttr",
]


def test_no_place_of_one_machine_and_no_package_host() -> None:
    assert _found(ELSEWHERE, tree.files()) == []


def test_nothing_is_left_for_later() -> None:
    code = [path for path in tree.files() if path.suffix in ("", ".py", ".md", ".toml", ".sh", ".nft", ".yaml")]
    assert _found(UNFINISHED, code) == []


def test_no_test_is_left_out_or_patches_what_it_tests() -> None:
    assert _found(EVASIVE, tree.python("src", "tests", "demo", "bench")) == []


def _found(patterns: list[str], paths: list[Path] | tuple[Path, ...]) -> list[str]:
    forbidden = re.compile("|".join(patterns))
    return [
        f"{path.relative_to(tree.TOP)}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(tree.text(path).splitlines(), 1)
        if forbidden.search(line)
    ]
