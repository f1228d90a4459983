"""The journal through the real agent: on the disk when it answers, read by whoever knows the socket."""

import json
import signal
import stat

import pytest

from cloudsync.model.document import Applied
from cloudsync.model.journal import LONGEST, Began, Did, End, Ended
from cloudsync.model.problem import HostError
from tests.agent.documents import document
from tests.agent.lab import Lab
from tests.agent.test_agent import raw

BEGAN = Began(
    id="one",
    cloud="demo",
    applied=Applied(commit="ab" * 20, by="alice@desk", at="2025-01-02T03:04:05Z"),
    changes=(Did(action="create", address="instance.web"),),
    steps=2,
)


def test_what_was_noted_outlives_the_agents_death(agent: Lab) -> None:
    agent.client.note(BEGAN)
    agent.end(signal.SIGKILL)
    assert stat.S_IMODE((agent.root / "state" / "journal.jsonl").stat().st_mode) == 0o600
    agent.start()
    (entry,) = agent.client.applies("demo", 10)
    assert (entry.began, entry.ended) == (BEGAN, None)
    assert agent.client.host().applied == {"demo": BEGAN.applied}


def test_the_host_says_itself_which_generation_it_had(agent: Lab) -> None:
    agent.client.note(BEGAN)
    agent.client.put_document(document(1), 0)
    agent.client.note(Ended(id="one", at="2025-01-02T03:04:09Z", end=End.DONE, done=2, generation=99))
    (entry,) = agent.client.applies("demo", 10)
    assert entry.ended
    assert (entry.began.generation, entry.ended.generation) == (0, 1)


def test_another_clouds_applies_are_not_told(agent: Lab) -> None:
    agent.client.note(BEGAN)
    assert agent.client.applies("other", 10) == ()


@pytest.mark.parametrize("body", [b"", b"[]", b'{"kind": "other"}', b'{"kind": "began"}', b"[" * 10_000, b"\xff"])
def test_what_is_no_line_is_refused_and_not_kept(agent: Lab, body: bytes) -> None:
    status, answer = raw(agent, "POST", "/v1/journal", body)
    assert status == 422
    assert sorted(json.loads(answer)) == ["hint", "message"]
    assert not (agent.root / "state" / "journal.jsonl").exists()


def test_a_newer_controllers_line_is_taken_without_what_is_not_known(agent: Lab) -> None:
    body = {"kind": "ended", "id": "x", "at": "", "end": "done", "later": {"a": 1}}
    assert raw(agent, "POST", "/v1/journal", json.dumps(body).encode())[0] == 204


@pytest.mark.parametrize("query", ["", "?cloud=demo&limit=0", "?cloud=demo&limit=x", f"?cloud={'x' * 101}"])
def test_what_cannot_be_asked(agent: Lab, query: str) -> None:
    assert raw(agent, "GET", f"/v1/journal{query}")[0] == 422


def test_one_line_is_no_way_to_fill_the_disk(agent: Lab) -> None:
    agent.client.note(Began(id="x", cloud="demo", applied=Applied(by="a" * (LONGEST - 1000))))
    with pytest.raises(HostError, match="no line of a journal"):
        agent.client.note(Began(id="x", cloud="demo", applied=Applied(by="a" * LONGEST)))
    assert (agent.root / "state" / "journal.jsonl").stat().st_size < 2000
