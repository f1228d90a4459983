"""The kernel's table of flows, read and cut without the conntrack program, which here says what is there."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cloudsync.agent.firewall import conntrack
from cloudsync.agent.firewall.ctnetlink import Entry
from cloudsync.model.problem import HostError
from tests.lab.namespace import Namespace

pytestmark = pytest.mark.real

NAT = "-r 10.0.0.2 -q 192.0.2.1 --reply-port-src 80 --reply-port-dst 6000"
FLOWS = [
    f"-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 5000 --dport 80 --state ESTABLISHED {NAT}",
    "-p udp -s 10.0.0.1 -d 10.0.0.3 --sport 5000 --dport 53",
    "-p icmp -s 10.0.0.4 -d 10.0.0.1 --icmp-type 8 --icmp-code 0 --icmp-id 9",
    "-p 99 -s 10.0.0.5 -d 10.0.0.6",
]


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    made = Namespace.new("flows")
    for flow in FLOWS:
        made.run("conntrack", "-I", *flow.split(), "-t", "300")
    yield made
    made.remove()


def listed(namespace: Namespace) -> int:
    return int(namespace.run("conntrack", "-C").stdout)


def entries(namespace: Namespace, of: set[str] | None = None) -> list[Entry]:
    return namespace.enter(lambda: conntrack.entries(of))


def test_all_flows_are_found_and_those_of_an_address(namespace: Namespace) -> None:
    assert len(entries(namespace)) == listed(namespace) == len(FLOWS)
    assert [entry.protocol for entry in entries(namespace, {"192.0.2.1"})] == [6]
    assert sorted(entry.protocol for entry in entries(namespace, {"10.0.0.1"})) == [1, 6, 17]
    assert entries(namespace, {"10.9.9.9"}) == []
    assert entries(namespace, set()) == []


def test_a_flow_of_any_kind_is_cut_and_no_other(namespace: Namespace) -> None:
    for entry in entries(namespace):
        before = {other.key for other in entries(namespace)}
        namespace.enter(lambda entry=entry: conntrack.delete([entry]))  # type: ignore[misc]
        assert {other.key for other in entries(namespace)} == before - {entry.key}
    assert listed(namespace) == 0


def test_flows_that_ended_by_themselves_are_no_error_and_many_go_at_once(namespace: Namespace) -> None:
    lines = [f"-I -p udp -s 10.1.{at // 250}.{at % 250} -d 10.0.0.3 --sport 7 --dport 9 -t 300" for at in range(1000)]
    namespace.run("conntrack", "-R", "-", stdin="".join(f"{line}\n" for line in lines))
    found = entries(namespace)
    assert len(found) == 1000 + len(FLOWS)
    namespace.run("conntrack", "-D", "-p", "icmp")
    namespace.enter(lambda: conntrack.delete(found))
    assert listed(namespace) == 0


@pytest.mark.parametrize("key", [b"", b"\0" * 8, b"\x34\0\x02\x80"])
def test_a_request_that_names_no_flow_is_not_sent(namespace: Namespace, key: bytes) -> None:
    """The kernel would flush the whole table."""
    entry = replace(entries(namespace)[0], key=key)
    with pytest.raises(ValueError, match="without its key"):
        namespace.enter(lambda: conntrack.delete([entry]))
    assert listed(namespace) == len(FLOWS)


def test_a_kernel_that_refuses_is_an_error(namespace: Namespace) -> None:
    """A first direction without addresses."""
    entry = replace(entries(namespace)[0], key=b"\x04\0\x01\x80")
    with pytest.raises(HostError, match="cannot be cut"):
        namespace.enter(lambda: conntrack.delete([entry]))
    assert listed(namespace) == len(FLOWS)
