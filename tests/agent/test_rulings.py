"""Asking a running agent about its kernel's rules: what it refuses to answer."""

import pytest

from cloudsync.model.problem import HostError
from cloudsync.reach.question import Question
from tests.agent.documents import document
from tests.agent.lab import Lab
from tests.agent.test_agent import raw

ASKED = Question("10.20.0.2", "10.20.0.3")


def test_without_a_document_there_is_nothing_to_ask_about(agent: Lab) -> None:
    with pytest.raises(HostError, match="no document yet"):
        agent.client.rulings(ASKED)


def test_parts_that_hold_no_rules_are_told(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)
    with pytest.raises(HostError, match="no part of this agent"):
        agent.client.rulings(ASKED)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "source=10.20.0.2",
        "source=10.20.0.2&target=host",
        "source=10.20.0.2&target=2001:db8::1",
        "source=10.20.0.2&target=10.20.0.3&service=tcp/x",
        "source=10.20.0.2&target=10.20.0.3&service=%1b]0;x",
    ],
)
def test_what_is_no_question_is_refused(shared: Lab, query: str) -> None:
    status, body = raw(shared, "GET", f"/v1/rulings?{query}")
    assert status == 422
    assert "\x1b" not in body
