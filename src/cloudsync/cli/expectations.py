"""Broken expectations as problems of the spec, each at its line. `validate`, `plan` and `apply` show them."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cloudsync.model.plan import Checked
from cloudsync.model.problem import Problem

if TYPE_CHECKING:
    from cloudsync.spec.document import Document


def problems(broken: Iterable[Checked], document: "Document | None" = None, told: bool = False) -> list[Problem]:
    """Those that hold are passed over. `document` is the spec where it is no file as it stands. `told`: the person has
    a plan as text, whose Expectations say what does not hold and why; where is left to be said."""
    from cloudsync.reach.expect import words
    from cloudsync.spec.document import read
    from cloudsync.spec.finding import Finding

    found = []
    for one in broken:
        if one.holds:
            continue
        message = f"{words(one.expectation)} does not hold: {one.because}"
        if told:
            message = f"{'this' if one.place else words(one.expectation)} does not hold: see Expectations"
        hint = _hint(one)
        if one.place is None:
            found.append(Problem(message, None, hint))
        else:
            trail = ("expect", int(one.expectation.key.partition("/")[2]))
            found.append((document or read(Path(one.place.file))).problem(Finding(trail, message, hint)))
    return found


def _hint(broken: Checked) -> str:
    if broken.rule and broken.rule.line:
        return f"the rule is in {broken.rule.file}:{broken.rule.line}"
    what = "write a rule that lets it through" if broken.expectation.allow else "narrow the rules of these groups"
    return f"{what}, or change what is expected"
