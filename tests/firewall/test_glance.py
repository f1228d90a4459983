"""The quick look at the kernel on a real nft in a throwaway namespace: it takes nothing else for what is wanted."""

from collections.abc import Iterator

import pytest

from cloudsync.agent.firewall import nft
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.delta import delta
from cloudsync.agent.firewall.ruleset import Ruleset
from tests.firewall.documents import random_document, sample
from tests.firewall.test_kernel import TAMPERINGS, commit
from tests.lab.namespace import Namespace

pytestmark = pytest.mark.real

STRANGERS = """
add table inet stranger
add set inet stranger ports { type inet_service; timeout 1h; elements = { 22 } }
add chain inet stranger forward { type filter hook forward priority 5; }
add rule inet stranger forward tcp dport { 80, 443 } accept
add table arp stranger
"""
MORE = [
    "add element inet cloudsync egress { * : drop }",
    'add element inet cloudsync egress { "cs-ffffffffffff" : accept }',
    "add element inet cloudsync infra4 { 192.0.2.3-192.0.2.9 }",
    "add element inet cloudsync infra4 { 255.255.255.255 }",
    'add element inet cloudsync gateways4 { 192.0.2.1 comment "mine" }',
    "add element inet cloudsync fip_in4 { 192.0.2.1 : 192.0.2.2 }",
    "flush set inet cloudsync internal4",
    "flush set arp cloudsync port_arp",
    "add rule inet cloudsync strays tcp dport { 22, 80 } accept",
    "add set inet cloudsync spy { type inet_service; elements = { 22 } }",
]


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace]:
    made = Namespace.new("glance")
    yield made
    made.remove()


def seen(namespace: Namespace) -> Ruleset | None:
    found = namespace.enter(nft.glance)
    return found[1] if found else None


def put(namespace: Namespace, wanted: Ruleset) -> None:
    commit(namespace, delta(namespace.enter(nft.read), wanted))


def test_it_sees_what_was_loaded_whoever_else_has_tables(namespace: Namespace) -> None:
    assert seen(namespace) == Ruleset()
    commit(namespace, STRANGERS)
    assert seen(namespace) == Ruleset()
    for seed in range(30):
        wanted = compile_document(random_document(seed), 8775)
        put(namespace, wanted)
        assert seen(namespace) == wanted, seed


def test_it_sees_thousands_of_members_one_by_one(namespace: Namespace) -> None:
    put(namespace, compile_document(sample(), 8775))
    many = {f"10.99.{at >> 8}.{at & 255}" for at in range(3000)}
    commit(namespace, f"add element inet cloudsync gateways4 {{ {', '.join(many)} }}\n")
    found = seen(namespace)
    assert found is not None
    assert many <= found.tables["inet"].containers["gateways4"].elements.keys()
    assert found == namespace.enter(nft.read)


@pytest.mark.parametrize("tampering", [*TAMPERINGS, *MORE])
def test_no_tampering_escapes_it(namespace: Namespace, tampering: str) -> None:
    wanted = compile_document(sample(), 8775)
    put(namespace, wanted)
    assert seen(namespace) == wanted
    commit(namespace, tampering)
    assert seen(namespace) != wanted
