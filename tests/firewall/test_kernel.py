"""Laws of scripts on a real nft in a throwaway namespace: any world into any other is the same as starting there."""

from collections.abc import Iterator

import pytest

from cloudsync.agent.firewall import genid, nft
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.delta import delta
from cloudsync.agent.firewall.render import render
from cloudsync.agent.firewall.ruleset import Ruleset
from tests.firewall.documents import random_document, sample
from tests.lab.namespace import Namespace

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace]:
    made = Namespace.new("nft")
    yield made
    made.remove()


def commit(namespace: Namespace, script: str) -> None:
    namespace.enter(lambda: nft.commit(script))


def test_any_document_into_any_other(namespace: Namespace) -> None:
    """Each step starts from what the last one left in the kernel; what is read back is what a full load would be."""
    for seed in range(50):
        wanted = compile_document(random_document(seed), 8775)
        commit(namespace, delta(namespace.enter(nft.read), wanted))
        assert namespace.enter(nft.read) == wanted, seed


def test_a_full_load_reads_back_as_itself(namespace: Namespace) -> None:
    namespace.enter(nft.delete_tables)
    assert namespace.enter(nft.read) == Ruleset()
    wanted = compile_document(sample(), 8775)
    commit(namespace, render(wanted))
    assert namespace.enter(nft.read) == wanted
    assert delta(namespace.enter(nft.read), wanted) == ""


TAMPERINGS = [
    "add rule inet cloudsync forward_to tcp dport 22 accept",
    "insert rule inet cloudsync antispoof return",
    "flush chain inet cloudsync guest_to_host",
    "flush table inet cloudsync",
    "delete table arp cloudsync",
    "flush ruleset",
    "flush set inet cloudsync port_src4",
    "flush map inet cloudsync egress",
    "add element inet cloudsync infra4 { 192.0.2.128/25 }",
    "add counter inet cloudsync spy\nadd rule inet cloudsync input counter name spy",
    "add chain inet cloudsync trap { type filter hook forward priority -20; policy drop; }",
    "add chain inet cloudsync side\nadd rule inet cloudsync forward_from jump side\n"
    "add map inet cloudsync verdicts { type ipv4_addr : verdict; elements = { 192.0.2.1 : jump side } }",
    "add chain inet cloudsync forward_to { type filter hook forward priority -9; policy drop; }",
    "flush chain inet cloudsync output\ndelete chain inet cloudsync output\n"
    "add chain inet cloudsync output { type filter hook output priority 5; }",
    "delete set inet cloudsync cs_meta\nadd set inet cloudsync cs_meta { type mark; timeout 1h; }",
    "flush chain inet cloudsync nat_postrouting\ndelete set inet cloudsync fip_self4\n"
    "add set inet cloudsync fip_self4 { type ipv4_addr; }",
]


@pytest.mark.parametrize("tampering", TAMPERINGS)
@pytest.mark.parametrize("rewrite", [False, True])
def test_every_tampering_is_undone_in_one_transaction(namespace: Namespace, tampering: str, rewrite: bool) -> None:
    wanted = compile_document(sample(), 8775)
    commit(namespace, delta(namespace.enter(nft.read), wanted))
    commit(namespace, tampering)
    found = namespace.enter(nft.read)
    assert found != wanted
    commit(namespace, delta(found, wanted, rewrite))
    assert namespace.enter(nft.read) == wanted


def test_the_generation_moves_with_anybodys_commit(namespace: Namespace) -> None:
    before = namespace.enter(genid.generation)
    assert before is not None
    assert namespace.enter(genid.generation) == before
    namespace.run("nft", "add", "table", "inet", "somebody")
    assert namespace.enter(genid.generation) == before + 1
    namespace.run("nft", "delete", "table", "inet", "somebody")
