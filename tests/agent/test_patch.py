"""Deltas on the agent's socket, and a controller that sends them only to an agent that has what they are to."""

import json
import signal
from dataclasses import dataclass, field, replace

import pytest

from cloudsync.hosts.agent_client import AgentClient
from cloudsync.hosts.delivery import Delivery
from cloudsync.model import wire
from cloudsync.model.delta import DocumentDelta, Entries, difference
from cloudsync.model.document import Entry, HostDocument
from cloudsync.model.problem import HostError, StaleError
from tests.agent.documents import DIGEST, UUID, document, instance
from tests.agent.lab import Lab
from tests.agent.test_agent import SECRET, raw

OTHER = Entry(uuid="2" + UUID[1:], host="kvm-2", addresses=("10.20.0.9",))


def grown(generation: int) -> HostDocument:
    plain = document(generation)
    return replace(plain, directory={**plain.directory, "other": OTHER})


def without_secrets(wanted: HostDocument) -> HostDocument:
    return replace(wanted, user_data={})


@dataclass
class Told(AgentClient):
    """A client that remembers how documents went."""

    ways: list[str] = field(default_factory=list)

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab.socket, "kvm-1")
        self.ways = []

    def put_document(self, document: HostDocument, base: int) -> str:
        self.ways.append("PUT")
        return super().put_document(document, base)

    def patch_document(self, delta: DocumentDelta, etag: str) -> str:
        self.ways.append("PATCH")
        return super().patch_document(delta, etag)


def test_a_delta_changes_what_it_says_and_is_kept(agent: Lab) -> None:
    etag = agent.client.put_document(document(1), 0)
    assert agent.client.host().etag == etag
    after = agent.client.patch_document(difference(without_secrets(document(1)), grown(2)), etag)
    assert after not in ("", etag)
    assert agent.first.applied() == agent.second.applied() == [1, 2]
    agent.end(signal.SIGKILL)
    agent.start()
    state = agent.client.host()
    assert (state.document, state.etag) == (without_secrets(grown(2)), after)


def test_a_delta_to_another_document_is_stale_and_changes_nothing(agent: Lab) -> None:
    etag = agent.client.put_document(document(1), 0)
    delta = difference(document(1), grown(2))
    for wrong in ("", "0" * 32, etag[:-1], f"{etag} "):
        with pytest.raises(StaleError):
            agent.client.patch_document(delta, wrong)
    with pytest.raises(StaleError, match="does not fit"):
        agent.client.patch_document(replace(delta, images=Entries(removed=("nothing",))), etag)
    assert agent.first.applied() == [1]
    assert agent.client.host().etag == etag


def test_a_host_without_a_document_takes_no_delta(agent: Lab) -> None:
    with pytest.raises(StaleError):
        agent.client.patch_document(DocumentDelta(generation=1), "")
    assert agent.first.calls() == []


def test_a_delta_is_judged_like_a_document(agent: Lab) -> None:
    etag = agent.client.put_document(document(1), 0)
    far = {"web": instance(host="kvm-2")}
    with pytest.raises(HostError, match="for host 'kvm-2'"):
        agent.client.patch_document(DocumentDelta(generation=2, instances=Entries(set=far)), etag)
    with pytest.raises(HostError, match="generation 4 does not follow 1"):
        agent.client.patch_document(difference(document(1), grown(4)), etag)
    with pytest.raises(HostError, match="user-data is not in the document"):
        agent.client.patch_document(DocumentDelta(generation=2, user_data=Entries(removed=(DIGEST,))), etag)
    assert agent.first.applied() == [1]


def test_a_part_that_refuses_a_delta_gets_the_old_document_again(agent: Lab) -> None:
    etag = agent.client.put_document(document(1), 0)
    agent.second.fail_once("no room")
    with pytest.raises(HostError, match="no room"):
        agent.client.patch_document(difference(document(1), grown(2)), etag)
    assert agent.first.applied() == [1, 2, 1]
    assert agent.client.host().etag == etag


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        f'{{"generation": 2, "later": "{SECRET}"}}'.encode(),
        f'{{"generation": 2, "user_data": {{"set": ["{SECRET}"]}}}}'.encode(),
        f'{{"generation": 2, "user_data": {{"set": {{"{"ab" * 32}": "{SECRET}"}}}}}}'.encode(),
        b"[" * 100_000,
    ],
)
def test_what_is_no_delta_is_refused_without_quoting_it(agent: Lab, body: bytes) -> None:
    etag = agent.client.put_document(document(1), 0)
    status, answer = raw(agent, "PATCH", "/v1/document", body, {"if-match": f'"{etag}"'})
    assert status == 422, answer
    assert sorted(json.loads(answer)) == ["hint", "message"]
    assert SECRET not in answer + agent.log
    assert raw(agent, "PATCH", "/v1/document", body)[0] == 428
    assert agent.first.applied() == [1]


def test_the_controller_sends_deltas_to_what_it_has_seen_and_sent(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)
    told = Told(agent)
    delivery = Delivery(told)
    delivery.saw(told.host())
    delivery.send(grown(2), 1)
    delivery.send(document(3), 2)
    assert told.ways == ["PATCH", "PATCH"]
    assert agent.client.host().document == without_secrets(document(3))
    assert agent.first.applied() == [1, 2, 3]


def test_the_controller_sends_the_whole_where_it_knows_nothing(agent: Lab) -> None:
    told = Told(agent)
    Delivery(told).send(document(1), 0)
    fresh = Delivery(told)
    fresh.saw(replace(told.host(), etag=""))
    fresh.send(grown(2), 1)
    assert told.ways == ["PUT", "PUT"]


def test_the_whole_goes_when_the_agent_holds_another_document_of_that_generation(agent: Lab) -> None:
    """A folder that was put back from a backup: the generation is right, what it stands for is not."""
    agent.client.put_document(document(1), 0)
    told = Told(agent)
    delivery = Delivery(told)
    delivery.saw(replace(told.host(), etag="0" * 32))
    delivery.send(grown(2), 1)
    assert told.ways == ["PATCH", "PUT"]
    assert agent.client.host().document == without_secrets(grown(2))


def test_another_document_in_between_is_stale_by_either_way(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)
    told = Told(agent)
    delivery = Delivery(told)
    delivery.saw(told.host())
    agent.client.put_document(grown(2), 1)
    with pytest.raises(StaleError, match="generation 1, but this host is at 2"):
        delivery.send(grown(2), 1)
    assert told.ways == ["PATCH", "PUT"]


def test_after_a_failure_the_controller_knows_nothing(agent: Lab) -> None:
    agent.client.put_document(document(1), 0)
    told = Told(agent)
    delivery = Delivery(told)
    delivery.saw(told.host())
    agent.second.fail_once("no room")
    with pytest.raises(HostError, match="no room"):
        delivery.send(grown(2), 1)
    delivery.send(grown(2), 1)
    assert told.ways == ["PATCH", "PUT"]


def test_a_delta_is_small_beside_the_document() -> None:
    crowd = {f"box-{number}": replace(OTHER, addresses=(f"10.20.{number}.1",)) for number in range(200)}
    old = document(1, directory=crowd)
    new = document(2, directory={**crowd, "more": OTHER})
    assert len(wire.dump(difference(old, new))) * 10 < len(wire.dump(new))
