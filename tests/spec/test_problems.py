"""Problems as text, JSON and GitHub annotations."""

import json

from cloudsync.model.problem import Place, Problem, Severity
from cloudsync.render.problems import WIDEST, as_json, github, text

PLAIN = Problem("it is wrong", Place("a.yaml", 3, 5), "mend it", "    here: it is")
BARE = Problem("nowhere", None, "", "", Severity.WARNING)


def test_text() -> None:
    assert text([PLAIN], colour=False) == "a.yaml:3:5: it is wrong\n      here: it is\n      ^\n  hint: mend it\n"
    assert text([BARE], colour=False) == "warning: nowhere\n"
    assert text([], colour=False) == ""
    assert text([PLAIN, BARE], colour=False).endswith("\nwarning: nowhere\n\n2 problems\n")


def test_colour_only_when_asked() -> None:
    assert "\x1b[" in text([PLAIN], colour=True)
    assert "\x1b" not in text([PLAIN], colour=False)


def test_nothing_reaches_the_terminal_raw() -> None:
    nasty = Problem("m\x1b[2J\u202e", Place("f\x1b]0;x\x07", 1, 2), "h\r\n", "s\x1b[31m\tx")
    shown = text([nasty], colour=False)
    assert all(char == "\n" or char.isprintable() for char in shown)
    assert "m\\x1b[2J\\u202e" in shown


def test_the_caret_stands_below_the_column() -> None:
    def caret(source: str, column: int) -> str:
        lines = text([Problem("m", Place("f", 1, column), "", source)], colour=False).split("\n")
        return lines[1][lines[2].index("^")]

    assert caret("abcdef", 3) == "c"
    assert caret("\tabc", 2) == "a"
    assert caret("x" * 500 + "y" + "z" * 500, 501) == "y"
    wide = text([Problem("m", Place("f", 1, 3), "", "日本x")], colour=False).split("\n")
    assert wide[2] == "  " + " " * 4 + "^"
    long = text([Problem("m", Place("f", 1, 501), "", "x" * 1000)], colour=False).split("\n")
    assert len(long[1]) <= WIDEST + 4


def test_json() -> None:
    assert json.loads(as_json([PLAIN, BARE])) == {
        "format_version": 1,
        "problems": [
            {
                "severity": "error",
                "file": "a.yaml",
                "line": 3,
                "column": 5,
                "message": "it is wrong",
                "hint": "mend it",
                "source": "    here: it is",
                "source_column": 1,
            },
            {
                "severity": "warning",
                "file": None,
                "line": None,
                "column": None,
                "message": "nowhere",
                "hint": "",
                "source": "",
                "source_column": 1,
            },
        ],
    }


def test_github() -> None:
    assert github([PLAIN]) == "::error file=a.yaml,line=3,col=5::it is wrong%0Ahint: mend it\n"
    nasty = Problem("50%\n::error::x", Place("a,b:c%.yaml", 1, 1))
    assert github([nasty]) == "::error file=a%2Cb%3Ac%25.yaml,line=1,col=1::50%25\\n::error::x\n"
    assert github([]) == ""
