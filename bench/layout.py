"""A ruleset of ours -> the script of the same policy in the reference layout, with which the firewall's bars were set.

Groups, members and ports are the same, without counters and comments; what is around them is the layout's own.
Benchmarks load it beside ours.
"""

from collections.abc import Iterator
from dataclasses import replace

from cloudsync.agent.firewall import render
from cloudsync.agent.firewall.ruleset import Chain, Container, Rule, Ruleset

_STATIC = """
add table inet cloudsync
add set inet cloudsync port_src6 { type ifname . ether_addr . ipv6_addr; }
add chain inet cloudsync prerouting_raw { type filter hook prerouting priority -300; policy accept; }
add chain inet cloudsync antispoof
add chain inet cloudsync input { type filter hook input priority -10; policy accept; }
add chain inet cloudsync guest_to_host
add chain inet cloudsync forward_from { type filter hook forward priority -10; policy accept; }
add chain inet cloudsync forward_to { type filter hook forward priority -9; policy accept; }
add chain inet cloudsync nat_prerouting { type nat hook prerouting priority -110; policy accept; }
add chain inet cloudsync nat_output { type nat hook output priority -110; policy accept; }
add chain inet cloudsync nat_postrouting { type nat hook postrouting priority 90; policy accept; }
"""
_RULES = {
    "prerouting_raw": """
        meta mark set meta mark | 0x40000000
        iifname "cs-*" jump antispoof
    """,
    "antispoof": """
        iifname . ether saddr . ip saddr @port_src4 return
        iifname . ether saddr . ip6 saddr @port_src6 return
        ip6 saddr :: icmpv6 type 135 return
        ip6 saddr :: ip6 daddr ff02::16 icmpv6 type 143 return
        ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 return
        counter drop
    """,
    "input": 'iifname "cs-*" jump guest_to_host',
    "guest_to_host": """
        ct state established,related accept
        ct state invalid drop
        udp sport 68 udp dport 67 accept
        ip daddr 169.254.169.254 tcp dport 80 accept
        icmp type echo-request limit rate 20/second accept
        icmpv6 type { 133, 135, 136, 143 } accept
        udp sport 546 udp dport 547 accept
        counter drop
    """,
    "forward_from": """
        iifname != "cs-*" accept
        ct state established,related accept
        ct state invalid drop
        ct state new tcp flags & (fin|syn|rst|ack) != syn drop
        ip daddr @infra4 drop
        iifname vmap @egress
        counter drop
    """,
    "forward_to": """
        oifname != "cs-*" accept
        ct state established,related accept
        ct state invalid drop
        ct state new tcp flags & (fin|syn|rst|ack) != syn drop
        oifname vmap @ingress
        counter drop
    """,
    "nat_prerouting": "dnat ip to ip daddr map @fip_in4",
    "nat_output": "dnat ip to ip daddr map @fip_in4",
    "nat_postrouting": """
        ct status dnat ip saddr . ip daddr @fip_self4 masquerade
        ip daddr @internal4 accept
        snat ip to ip saddr map @fip_out4
        ip saddr @nat_src4 oifname != "cs-*" masquerade
    """,
}
_OURS_ONLY = {"port_macs", "open_ports", "open_src4", "gateways4", "peers4", "floating4"}
"""Sets of ours that the layout has no use for."""


def reference(ruleset: Ruleset) -> str:
    """It is loaded where no table of the name is."""
    table = ruleset.tables["inet"]
    sets = {name: one for name, one in table.containers.items() if name not in _OURS_ONLY}
    policy = {name: chain for name, chain in table.chains.items() if name.startswith(("pi_", "pe_", "gi_", "ge_"))}
    sets["port_src4"] = _in_its_order(sets["port_src4"])
    return _STATIC + "".join(f"{line}\n" for line in _lines(sets, policy))


def _lines(sets: dict[str, Container], policy: dict[str, Chain]) -> Iterator[str]:
    yield from (render.add_container("inet", name, one) for name, one in sets.items())
    yield from (render.add_chain("inet", name, chain) for name, chain in policy.items())
    for name, text in _RULES.items():
        yield from render.add_rules("inet", name, (Rule((line.strip(),)) for line in text.strip().splitlines()))
    for name, chain in policy.items():
        yield from render.add_rules("inet", name, map(_bare, chain.rules))
    for name, one in sets.items():
        yield from render.add_elements("inet", name, one.elements)


def _in_its_order(ours: Container) -> Container:
    """Ours has the address before the MAC."""
    keys = (key.split(" . ") for key in ours.elements)
    elements = {f"{tap} . {mac} . {address}": "" for tap, address, mac in keys}
    return replace(ours, key=("ifname", "ether_addr", "ipv4_addr"), elements=elements)


def _bare(rule: Rule) -> Rule:
    return Rule(tuple(part for part in rule.parts if part != "counter"))
