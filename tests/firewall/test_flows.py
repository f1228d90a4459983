"""Connections that go with a machine to another host: written by the one kernel as the other had them."""

from dataclasses import replace

import pytest

from cloudsync.agent.firewall import conntrack
from cloudsync.agent.firewall.ctflow import creation, fits, flows
from cloudsync.model.flow import Flow

OWN = frozenset(("10.20.0.9", "203.0.113.5"))
CAME = Flow(
    protocol=6,
    source="198.51.100.2",
    target="10.20.0.9",
    ports=(40000, 7),
    reply_source="10.20.0.9",
    reply_target="198.51.100.2",
    reply_ports=(7, 40000),
)
FLOATING = replace(CAME, target="203.0.113.5", ports=(40001, 7), reply_ports=(7, 40001))
WENT = Flow(
    protocol=17,
    source="10.20.0.9",
    target="198.51.100.2",
    ports=(40002, 53),
    reply_source="198.51.100.2",
    reply_target="203.0.113.5",
    reply_ports=(53, 40002),
)
BY_THE_HOST = replace(WENT, ports=(40003, 53), reply_target="198.51.100.11", reply_ports=(53, 40003))


def test_what_is_asked_for_is_what_is_told() -> None:
    assert flows(creation(CAME, 1), OWN) == ([CAME], False)
    assert flows(creation(CAME, 1), frozenset(("10.20.0.10",))) == ([], False)


@pytest.mark.parametrize(
    "strange", [{"protocol": 1}, {"source": "::1"}, {"target": "x"}, {"ports": (-1, 7)}, {"reply_ports": (7, 65536)}]
)
def test_what_cannot_be_tracked(strange: dict[str, object]) -> None:
    assert fits(CAME)
    assert not fits(replace(CAME, **strange))  # type: ignore[arg-type]


@pytest.mark.real
def test_the_kernel_takes_them_and_those_by_the_hosts_address_stay() -> None:
    conntrack.create([CAME, FLOATING, WENT, BY_THE_HOST])
    try:
        assert sorted(conntrack.flows(OWN), key=repr) == sorted([CAME, FLOATING, WENT], key=repr)
        conntrack.create([CAME])
    finally:
        conntrack.delete(conntrack.entries(OWN))
    assert conntrack.flows(OWN) == []
