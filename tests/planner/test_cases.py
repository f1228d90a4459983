"""Plans as people and scripts get them. `BLESS=1 pytest tests/planner/test_cases.py` writes the texts anew."""

import json
import os
from pathlib import Path

import pytest

from cloudsync.model import wire
from cloudsync.model.plan import Plan
from cloudsync.render.plan_json import document
from cloudsync.render.plan_text import text
from tests.house.promised import broken
from tests.planner.cases import CASES

HERE = Path(__file__).with_name("cases")


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_as_it_was_read_by_a_person(name: str) -> None:
    shown = text(CASES[name](), colour=False)
    golden = HERE / name / "plan.txt"
    if os.environ.get("BLESS"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown)
    assert shown == golden.read_text()


def test_every_text_has_its_case() -> None:
    assert {path.parent.name for path in HERE.glob("*/plan.txt")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_json_is_what_the_schema_promises(name: str) -> None:
    made = CASES[name]()
    assert broken(document(made), "plan") == []
    assert json.loads(json.dumps(document(made))) == document(made)
    assert wire.load(Plan, wire.dump(made)) == made


def test_colours_change_nothing_else() -> None:
    made = CASES["a-busy-day"]()
    coloured = text(made, colour=True)
    for code in ("\x1b[0m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[35m"):
        coloured = coloured.replace(code, "")
    assert coloured == text(made, colour=False)
    assert "\x1b" in text(made, colour=True)
