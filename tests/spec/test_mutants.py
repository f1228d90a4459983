"""The example with one thing wrong, in hundreds of ways: every problem has its place, its line and a way out."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudsync.model.problem import Problem, SpecError
from cloudsync.spec.document import parse
from cloudsync.spec.load import load
from cloudsync.spec.secrets import secret_lines
from cloudsync.spec.strangers import stranger_lines

EXAMPLE = (Path(__file__).parents[2] / "cloud.yaml.example").read_text(encoding="utf-8")
LINES = EXAMPLE.split("\n")
FIRST, LAST = LINES.index("hosts:                           # where machines may run; cloudsync chooses"), 52
"""Between them is no user-data."""
CHARACTERS = "\"'[]{}:,#&*!|>%@`-?\t\\é\u2028"
SECRETS = ("/srv/", "http.server", "hostname", "write_files", "multi-user")
MANY = 400


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutants")
    (folder / "debian-12.qcow2").write_bytes(b"QFI\xfb".ljust(1024, b"\0"))
    return folder / "cloud.yaml"


def problems(spec: Path, text: str) -> tuple[Problem, ...]:
    spec.write_text(text, encoding="utf-8")
    try:
        load(spec)
    except SpecError as error:
        return error.problems
    return ()


def mutants() -> Iterator[str]:
    chance = random.Random(5)  # noqa: S311 - the same ones every time
    for _ in range(MANY):
        index = chance.choice([number for number, line in enumerate(LINES) if line.strip() and line.strip()[0] != "#"])
        line = LINES[index]
        column = chance.randrange(len(line.split(" #")[0]) + 1)
        changed = chance.choice(
            [
                line[:column] + line[column + 1 :],
                line[:column] + chance.choice(CHARACTERS) + line[column:],
                line[1:],
                f" {line}",
                f"\t{line.lstrip()}",
                f"{line}\n{line}",
            ]
        )
        yield "\n".join([*LINES[:index], changed, *LINES[index + 1 :]])


def hidden(text: str) -> frozenset[int]:
    """Lines of which nothing may be shown that is not a word of the language."""
    document = parse("f", text.encode())
    strangers = stranger_lines(document.root, document.lines) if document.complete else frozenset()
    return strangers | secret_lines(document.lines, broken=not document.complete)


@pytest.mark.parametrize("text", list(mutants()), ids=range(MANY))
def test_every_problem_has_its_place_its_line_and_a_way_out(spec: Path, text: str) -> None:
    for one in problems(spec, text):
        assert one.place is not None
        assert one.source.strip() or one.place.line - 1 in hidden(text), one
        assert one.hint, one
        assert not any(secret in f"{one.message}{one.hint}{one.source}" for secret in SECRETS), one


@pytest.mark.parametrize("char", "'\"[{")
def test_what_is_opened_and_not_closed_is_told_in_its_line(spec: Path, char: str) -> None:
    told = 0
    for index, line in enumerate(LINES[FIRST:LAST], FIRST):
        value = re.match(r"[^#]*?: +(?=[^#\s|])", line)
        if not value or line.strip().startswith("#"):
            continue
        changed = f"{line[: value.end()]}{char}{line[value.end() :]}"
        (found,) = problems(spec, "\n".join([*LINES[:index], changed, *LINES[index + 1 :]]))
        assert found.place is not None
        assert found.place.line == index + 1
        assert found.place.column == value.end() + 1 or "{" in line[: value.end()], found
        assert found.source == changed
        assert found.message == f"this {char if char in '[{' else 'quote'} is never closed"
        told += 1
    assert told > 15


def test_a_bracket_that_was_not_closed_is_told_in_its_line(spec: Path) -> None:
    told = 0
    for index, line in enumerate(LINES[FIRST:LAST], FIRST):
        code = line.split(" #")[0].rstrip()
        if code.endswith(("]", "}")) and not code.strip().startswith("#"):
            changed = code[:-1] + line[len(code) :]
            (found,) = problems(spec, "\n".join([*LINES[:index], changed, *LINES[index + 1 :]]))
            assert (found.place and found.place.line, found.source) == (index + 1, changed)
            assert re.fullmatch(r"this [\[{] is never closed", found.message)
            told += 1
    assert told > 4


def test_a_colon_that_is_missing_is_told_in_its_line(spec: Path) -> None:
    told = 0
    for index, line in enumerate(LINES[FIRST:LAST], FIRST):
        key = re.match(r" *[\w-]+(?=:)", line)
        if not key:
            continue
        changed = line[: key.end()] + line[key.end() + 1 :]
        found = problems(spec, "\n".join([*LINES[:index], changed, *LINES[index + 1 :]]))
        lines = [one.place.line for one in found if one.place]
        assert index + 1 in lines, found
        told += 1
    assert told > 20
