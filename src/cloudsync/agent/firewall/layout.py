"""The part of the ruleset that is the same on every host: base chains, and what no spec can take away.

Order and priorities are facts about netfilter: an accept ends one base chain, a drop is final, so forwarding passes
two base chains (what a guest may send, what a guest may receive) ahead of everybody else's at priority 0.
"""

from cloudsync.agent.firewall.names import TAPS
from cloudsync.agent.firewall.ruleset import Base, Chain, Container, Rule
from cloudsync.agent.links.guard import MARK

METADATA = "169.254.169.254"
LINK_LOCAL = "169.254.0.0/16"

_FROM, _TO = f'iifname "{TAPS}"', f'oifname "{TAPS}"'
_NOT_FROM, _NOT_TO = f'iifname != "{TAPS}"', f'oifname != "{TAPS}"'
_MARKED = f"meta mark set meta mark | {MARK:#x}"
_KNOWN = Rule(("ct state established,related", "accept"))
_INVALID = Rule(("ct state invalid", "counter", "drop"))
# Connection tracking checks UDP-Lite (136) by UDP's checksum and so takes all of it for invalid: it goes by the rules
# packet by packet, between guests only, since nothing masquerades what is not tracked.
_INVALID_FORWARDED = Rule(("ct state invalid", "meta l4proto != 136", "counter", "drop"))
_NOT_TRACKED_OUT = Rule(("ct state invalid", _NOT_TO, "counter", "drop"))
# With tcp_loose=1 (the default) a flow whose entry was deleted comes back as a new one by its next packet.
_NO_SYN = Rule(("ct state new", "tcp flags & (fin|syn|rst|ack) != syn", "counter", "drop"))
_DENY = Rule(("counter", "drop"))
_ADDRESS = ("ipv4_addr",)
_PORT = ("ifname", "ether_addr", "ipv4_addr")
_OPEN = ("ifname", "ipv4_addr")


def containers(cloud: str) -> dict[str, Container]:
    """All sets and maps of `inet cloudsync` without elements, apart from those of members."""
    interval = Container(_ADDRESS, flags=("interval",))
    verdicts = Container(("ifname",), value="verdict")
    translation = Container(_ADDRESS, value="ipv4_addr")
    return {
        "cs_meta": Container(("mark",), comment=cloud),
        "port_src4": Container(_PORT),
        "open_ports": Container(("ifname",)),
        "open_src4": Container(_OPEN),
        "gateways4": Container(_ADDRESS),
        "infra4": interval,
        "internal4": interval,
        "nat_src4": interval,
        "fip_in4": translation,
        "fip_out4": translation,
        "fip_self4": Container(("ipv4_addr", "ipv4_addr")),
        "egress": verdicts,
        "ingress": verdicts,
    }


def arp_containers() -> dict[str, Container]:
    return {"port_arp": Container(_PORT), "open_arp": Container(_OPEN)}


def chains(metadata_port: int) -> dict[str, Chain]:
    """The base chains of `inet cloudsync` and the chains that every guest's packets pass."""
    return (
        _filters(metadata_port)
        | _translations(metadata_port)
        | {"antispoof": _antispoof(), "open_source": _open_source(), "guest_to_host": _host(metadata_port)}
    )


def _filters(metadata_port: int) -> dict[str, Chain]:
    opening = (_KNOWN, _INVALID_FORWARDED, _NO_SYN)
    not_for_others = (_NOT_FROM, 'iifname != "lo"', f"tcp dport {metadata_port}", "counter", "drop")
    return {
        "prerouting_raw": _base("filter", "prerouting", -300, Rule((_FROM, "jump antispoof"))),
        # After destination NAT (-100): replies to masqueraded flows bear a pool's address only from there on.
        "prerouting_mark": _base(
            "filter", "prerouting", -90, Rule((_FROM, _MARKED)), Rule(("ip daddr @internal4", _MARKED))
        ),
        "input": _base("filter", "input", -10, Rule((_FROM, "jump guest_to_host")), Rule(not_for_others)),
        "forward_from": _base(
            "filter",
            "forward",
            -10,
            Rule((_NOT_FROM, "accept")),
            *opening,
            _NOT_TRACKED_OUT,
            Rule(("ip daddr @infra4", "counter", "drop")),
            Rule((f"ip daddr {LINK_LOCAL}", "counter", "drop")),
            Rule(("iifname vmap @egress",)),
            _DENY,
        ),
        "forward_to": _base(
            "filter", "forward", -9, Rule((_NOT_TO, "accept")), *opening, Rule(("oifname vmap @ingress",)), _DENY
        ),
        # send_redirects is the OR of the tap's and `all`: dropping them here leaves the host's own setting alone.
        "output": _base("filter", "output", -10, Rule((_TO, "icmp type 5", "drop"))),
    }


def _translations(metadata_port: int) -> dict[str, Chain]:
    floating = Rule(("dnat ip to ip daddr map @fip_in4",))
    to_metadata = (_FROM, f"ip daddr {METADATA}", "tcp dport 80", f"redirect to :{metadata_port}")
    return {
        "nat_prerouting": _base("nat", "prerouting", -110, Rule(to_metadata), floating),
        "nat_output": _base("nat", "output", -110, floating),
        "nat_postrouting": _base(
            "nat",
            "postrouting",
            90,
            Rule(("ct status dnat", "ip saddr . ip daddr @fip_self4", "masquerade")),
            Rule(("ip daddr @internal4", "accept")),
            Rule(("snat ip to ip saddr map @fip_out4",)),
            Rule(("ip saddr @nat_src4", _NOT_TO, "masquerade")),
        ),
    }


def _antispoof() -> Chain:
    discover = ("ip saddr 0.0.0.0", "ip daddr 255.255.255.255", "udp sport 68", "udp dport 67", "return")
    return Chain(
        (
            Rule(("meta nfproto ipv6", "counter", "drop")),
            Rule(("udp sport 67", "udp dport 68", "counter", "drop")),
            Rule(("iifname . ether saddr . ip saddr @port_src4", "return")),
            Rule(discover),
            Rule(("iifname @open_ports", "goto open_source")),
            _DENY,
        )
    )


def _open_source() -> Chain:
    """A port without port security may send from any MAC, and from anywhere but what is somebody's here: whom a member
    of a group is, and whose metadata is asked for, is told by source addresses alone."""
    return Chain(
        (
            Rule(("iifname . ip saddr @open_src4", "return")),
            Rule(("ip saddr @internal4", "counter", "drop")),
            Rule(("ip saddr @infra4", "counter", "drop")),
            Rule((f"ip saddr {LINK_LOCAL}", "counter", "drop")),
        )
    )


def _host(metadata_port: int) -> Chain:
    """What a guest may ask of its host: DHCP; and, from its own address, names, metadata, ping of the gateway."""
    return Chain(
        (
            Rule(("icmp type 5", "counter", "drop")),
            _KNOWN,
            _INVALID,
            Rule(("udp sport 68", "udp dport 67", "accept")),
            Rule(("iifname @open_ports", "iifname . ip saddr != @open_src4", "counter", "drop")),
            Rule(("ct status dnat", f"tcp dport {metadata_port}", "accept")),
            Rule(("ip daddr @gateways4", "udp dport 53", "accept")),
            Rule(("ip daddr @gateways4", "tcp dport 53", "accept")),
            Rule(("ip daddr @gateways4", "icmp type 8", "limit rate 20/second burst 5 packets", "accept")),
            _DENY,
        )
    )


def arp_chains() -> dict[str, Chain]:
    """Without these a guest fills the host's neighbour table with senders it makes up."""
    return {
        "input": _base("filter", "input", 0, Rule((_FROM, "jump guest"))),
        "guest": Chain(
            (
                Rule(("iifname . arp saddr ether . arp saddr ip @port_arp", "accept")),
                Rule(("arp operation request", "arp saddr ip 0.0.0.0", "accept")),
                Rule(("iifname . arp saddr ip @open_arp", "accept")),
                _DENY,
            )
        ),
    }


def _base(kind: str, hook: str, priority: int, *rules: Rule) -> Chain:
    return Chain(rules, Base(kind, hook, priority))
