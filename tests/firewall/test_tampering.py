"""Whatever anybody does to our tables is named by an address of the spec, and undone by the next apply."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cloudsync.agent.firewall import names
from tests.firewall.documents import DEFAULT, NETWORK, document, egress, group, ingress, instance
from tests.firewall.test_change import Flow, flowing, talking
from tests.lab.standins import Lab, standins

pytestmark = pytest.mark.real

A, B = instance("a", "10.20.0.11"), instance("b", "10.20.0.12", ("default", "web"))
WEB = group(
    "web",
    ingress("any", "tcp", (80, 80)),
    ingress("any", "tcp", (443, 443)),
    ingress("group.default", "udp", (53, 53)),
    egress("192.0.2.0/24", "tcp"),
)
DOCUMENT = document([A, B], [DEFAULT, WEB], infra=("198.51.100.11",))
HOST = "host.kvm-1"
GI, GE = (f"{kind}_{names.identifier('web')}" for kind in ("gi", "ge"))
MEMBERS = names.members("group.default")
TAP, MAC = B.nics[0].tap, B.nics[0].mac
SENDER = f"{TAP} . {MAC} . {MAC} . 10.20.0.12"
FOREIGN = "cs-ffffffffffff . 10.20.0.99 . 52:54:00:ff:ff:ff"
BASE = "type filter hook output priority"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with standins(DOCUMENT) as made:
        made.apply(DOCUMENT)
        yield made


@pytest.fixture(scope="module")
def flow(lab: Lab) -> Iterator[Flow]:
    """Bytes that go through all of it."""
    with talking(lab.outside, lab.guests["b"], 80) as (client, server), flowing(client, server) as running:
        yield running


@dataclass(frozen=True)
class Tampering:
    """`script` is nft's; in it, `handle @80` is that of the web group's rule for port 80. `also`: more is named than
    `found`."""

    script: str
    found: tuple[tuple[str, str], ...]
    also: bool = False


def one(script: str, address: str, message: str) -> Tampering:
    return Tampering(script, ((address, message),))


TAMPERINGS = {
    "a rule is gone": one(
        f"delete rule inet cloudsync {GI} handle @80", "group.web", "rule tcp/80 from any is missing"
    ),
    "an egress rule is gone": one(
        f"flush chain inet cloudsync {GE}", "group.web", "rule tcp to 192.0.2.0/24 is missing"
    ),
    "a rule is another": Tampering(
        f"replace rule inet cloudsync {GI} handle @443 tcp dport 444 accept",
        (
            ("group.web", f"a rule of chain {GI} is not ours: tcp dport 444 accept"),
            ("group.web", "rule tcp/443 from any is missing"),
        ),
    ),
    "the same words stand on another rule": Tampering(
        f'replace rule inet cloudsync {GI} handle @443 accept comment "group.web tcp/443 from any"',
        (
            ("group.web", f'a rule of chain {GI} is not ours: accept comment "group.web tcp/443 from any"'),
            ("group.web", "rule tcp/443 from any is missing"),
        ),
    ),
    "rules are in another order": one(
        f"delete rule inet cloudsync {GI} handle @80\n"
        f'add rule inet cloudsync {GI} tcp dport 80 counter accept comment "group.web tcp/80 from any"',
        "group.web",
        f"the rules of chain {GI} are in another order",
    ),
    "a rule is there twice": one(
        f'add rule inet cloudsync {GI} tcp dport 443 counter accept comment "group.web tcp/443 from any"',
        "group.web",
        f'a rule of chain {GI} is not ours: tcp dport 443 counter accept comment "group.web tcp/443 from any"',
    ),
    "a foreign rule in a group": one(
        f"insert rule inet cloudsync {GI} tcp dport 22 accept",
        "group.web",
        f"a rule of chain {GI} is not ours: tcp dport 22 accept",
    ),
    "a foreign rule for a port": one(
        f"insert rule inet cloudsync pi_{TAP} accept", "instance.b", f"a rule of chain pi_{TAP} is not ours: accept"
    ),
    "a foreign rule for everybody": one(
        "insert rule inet cloudsync forward_to accept", HOST, "a rule of chain forward_to is not ours: accept"
    ),
    "a rule of our own is gone": one(
        "flush chain inet cloudsync output",
        HOST,
        'rule `oifname "cs-*" icmp type 5 drop` of chain output is missing',
    ),
    "a member by hand": one(
        f"add element inet cloudsync {MEMBERS} {{ 10.20.9.9 }}", "group.default", "10.20.9.9 was added to its members"
    ),
    "a member is gone": one(
        f"delete element inet cloudsync {MEMBERS} {{ 10.20.0.11 }}",
        "group.default",
        "member 10.20.0.11 (instance.a) is missing",
    ),
    "an address that may be forged": one(
        f"add element inet cloudsync port_src4 {{ {FOREIGN} }}",
        HOST,
        f"a foreign anti-spoofing entry was added: {FOREIGN}",
    ),
    "a second address of a port": one(
        f"add element inet cloudsync port_src4 {{ {TAP} . 10.20.0.99 . {MAC} }}",
        "instance.b",
        f"a foreign anti-spoofing entry was added: {TAP} . 10.20.0.99 . {MAC}",
    ),
    "an address that may not be used": one(
        f"delete element arp cloudsync port_arp {{ {SENDER} }}", "instance.b", "its ARP anti-spoofing entry is missing"
    ),
    "a port without incoming rules": one(
        f"delete element inet cloudsync ingress {{ {TAP} }}", "instance.b", "its incoming rules are not in force"
    ),
    "a port that may send anything": one(
        f"delete element inet cloudsync egress {{ {TAP} }}\nadd element inet cloudsync egress {{ {TAP} : accept }}",
        "instance.b",
        "its outgoing rules are not in force",
    ),
    "a port without filtering": one(
        f"add element inet cloudsync open_ports {{ {TAP} }}", "instance.b", f"filtering of {TAP} was switched off"
    ),
    "an underlay address that is open": one(
        "flush set inet cloudsync infra4", HOST, "an address guests may not reach is missing from infra4: 198.51.100.11"
    ),
    "a subnet by hand": one(
        "add element inet cloudsync nat_src4 { 10.99.0.0/16 }",
        HOST,
        "a subnet that leaves through the uplink was added to nat_src4: 10.99.0.0/16",
    ),
    "a set with other properties": one(
        "flush chain inet cloudsync nat_postrouting\ndelete set inet cloudsync fip_self4\n"
        "add set inet cloudsync fip_self4 { type ipv4_addr . ipv4_addr; timeout 1h; }\n"
        + 'add rule inet cloudsync nat_postrouting ct status dnat ip saddr . ip daddr @fip_self4 masquerade\n'
        + "add rule inet cloudsync nat_postrouting ip daddr @internal4 accept\n"
        + "add rule inet cloudsync nat_postrouting snat ip to ip saddr map @fip_out4\n"
        + 'add rule inet cloudsync nat_postrouting ip saddr @nat_src4 oifname != "cs-*" masquerade',
        HOST,
        "set fip_self4 was made anew with other properties",
    ),
    "a policy": one(
        "chain inet cloudsync forward_to { policy drop; }",
        HOST,
        "chain forward_to was changed: filter forward priority -9 policy drop instead of filter forward priority -9"
        " policy accept",
    ),
    "a priority": one(
        "flush chain inet cloudsync output\ndelete chain inet cloudsync output\n"
        f"add chain inet cloudsync output {{ {BASE} 5; }}\n"
        'add rule inet cloudsync output oifname "cs-*" icmp type 5 drop',
        HOST,
        "chain output was changed: filter output priority 5 policy accept instead of filter output priority -10"
        " policy accept",
    ),
    "a base chain is gone": one(
        "flush chain inet cloudsync output\ndelete chain inet cloudsync output", HOST, "chain output is missing"
    ),
    "a port's chain is gone": Tampering(
        f"delete element inet cloudsync egress {{ {TAP} }}\n"
        f"flush chain inet cloudsync pe_{TAP}\ndelete chain inet cloudsync pe_{TAP}",
        (("instance.b", f"chain pe_{TAP} is missing"), ("instance.b", "its outgoing rules are not in force")),
    ),
    "a foreign chain": one(
        "add chain inet cloudsync trap { type filter hook forward priority -20; policy accept; }",
        HOST,
        "chain trap in table inet cloudsync is not ours",
    ),
    "a foreign set": one(
        "add set inet cloudsync spies { type ipv4_addr; }", HOST, "set spies in table inet cloudsync is not ours"
    ),
    "a foreign counter": one(
        "add counter arp cloudsync spy", HOST, "counter spy in table arp cloudsync is not ours"
    ),
    "a table is flushed": Tampering(
        "flush table inet cloudsync",
        (
            ("group.web", "rule tcp/80 from any is missing"),
            ("instance.b", f"rule `jump {GI}` of chain pi_{TAP} is missing"),
            (HOST, "rule `iifname vmap @egress` of chain forward_from is missing"),
        ),
        also=True,
    ),
    "a table is deleted": one(
        "delete table inet cloudsync", HOST, "the firewall table inet cloudsync is missing"
    ),
    "the small table is deleted": one(
        "delete table arp cloudsync", HOST, "the firewall table arp cloudsync is missing"
    ),
    "a table is switched off": one(
        "add table inet cloudsync { flags dormant; }",
        HOST,
        "table inet cloudsync is switched off: none of its rules is in force",
    ),
    "a table is replaced by an empty one that is switched off": Tampering(
        "delete table inet cloudsync\nadd table inet cloudsync { flags dormant; }",
        ((HOST, "table inet cloudsync is switched off: none of its rules is in force"),),
        also=True,
    ),
    "the small table is switched off, and more": Tampering(
        "add table arp cloudsync { flags dormant; }\nflush chain arp cloudsync guest\nadd chain arp cloudsync more",
        ((HOST, "table arp cloudsync is switched off: none of its rules is in force"),),
        also=True,
    ),
    "everything is flushed": Tampering(
        "flush ruleset",
        (
            (HOST, "the firewall table arp cloudsync is missing"),
            (HOST, "the firewall table inet cloudsync is missing"),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERINGS)
def test_it_is_named_undone_and_running_flows_go_on(lab: Lab, flow: Flow, what: str) -> None:
    tampering = TAMPERINGS[what]
    assert lab.drift(DOCUMENT, only="firewall") == []
    lab.nft(with_handles(lab, tampering.script))
    found = lab.drift(DOCUMENT, only="firewall")
    assert set(tampering.found) <= set(found)
    assert tampering.also or len(found) == len(tampering.found), found
    assert lab.drift(DOCUMENT, only="firewall") == found, "asking again, with nothing moved, says the same"
    lab.apply(DOCUMENT)
    assert lab.drift(DOCUMENT) == []
    flow.wait_for_more()


def with_handles(lab: Lab, script: str) -> str:
    listing = json.loads(lab.host.run("nft", "-j", "list", "chain", "inet", "cloudsync", GI).stdout)
    for rule in (entry["rule"] for entry in listing["nftables"] if "rule" in entry):
        *_, last = (part["match"]["right"] for part in rule["expr"] if "match" in part)
        script = script.replace(f"handle @{last}", f"handle {rule['handle']}")
    return script


def test_others_tables_are_nobodys_drift_and_stay(lab: Lab, flow: Flow) -> None:
    lab.nft("add table inet somebody\nadd chain inet somebody x { type filter hook forward priority 0; }")
    assert lab.drift(DOCUMENT, only="firewall") == []
    lab.nft("flush chain inet cloudsync output")
    lab.apply(DOCUMENT)
    assert "somebody" in lab.host.run("nft", "list", "tables").stdout
    lab.nft("delete table inet somebody")
    assert lab.drift(DOCUMENT, only="firewall") == []
    flow.wait_for_more()


def test_what_an_apply_did_is_read_back_from_the_kernel(lab: Lab) -> None:
    """Not taken from memory: here somebody undoes it at once, by a commit of his own."""
    more = document([A, B], [DEFAULT, WEB, group("new", ingress(NETWORK.subnet))], infra=("198.51.100.12",))
    lab.apply(more)
    lab.nft("flush set inet cloudsync infra4")
    assert lab.drift(more, only="firewall") == [
        (HOST, "an address guests may not reach is missing from infra4: 198.51.100.12")
    ]
    lab.apply(more)
    assert lab.drift(more, only="firewall") == []
    lab.apply(DOCUMENT)
