"""What a step is called while it runs."""

from typing import get_args

from cloudsync.model.plan import Step
from cloudsync.render.progress import VERBS


def test_every_kind_of_step_has_a_verb() -> None:
    assert {one.__dataclass_fields__["kind"].default for one in get_args(Step)} == set(VERBS)
