"""The part of the ruleset that is the same on every host: base chains, and what no spec can take away.

Order and priorities are facts about netfilter: an accept ends one base chain, a drop is final, so forwarding passes
two base chains (what a guest may send, what a guest may receive) ahead of everybody else's at priority 0.
"""

from collections.abc import Mapping
from functools import cache

from cloudsync.agent.firewall.names import TAPS
from cloudsync.agent.firewall.ruleset import Base, Chain, Rule
from cloudsync.agent.links.guard import MARK
from cloudsync.agent.links.remote import DEVICE, PORT
from cloudsync.reach.spot import LINK_LOCAL

METADATA = "169.254.169.254"

_FROM, _TO = f'iifname "{TAPS}"', f'oifname "{TAPS}"'
_NOT_FROM, _NOT_TO = f'iifname != "{TAPS}"', f'oifname != "{TAPS}"'
_MARKED, _HAS_MARK = f"meta mark set meta mark | {MARK:#x}", f"meta mark & {MARK:#x} != 0x0"
# Connection tracking checks UDP-Lite (136) by UDP's checksum and so takes all of it for invalid: it goes by the rules
# packet by packet, inside the cloud only, since nothing masquerades what is not tracked.
_INVALID_FORWARDED = Rule(("ct state invalid", "meta l4proto != 136", "counter", "drop"))
_NOT_TRACKED_OUT = Rule(("ct state invalid,untracked", _NOT_TO, "ip daddr != @internal4", "counter", "drop"))
# Kernels since 6.16 do not track DCCP (33): one connection between two guests would let all its ports through.
_BY_PACKET = Rule(("meta l4proto 33", _FROM, "notrack"))
_DENY = Rule(("counter", "drop"))
# The first byte of IPv4 without options: one comparison for all that is nothing else.
_PLAIN, _NOT_PLAIN = "@nh,0,8 69", "@nh,0,8 != 69"
# The address before the MAC: nft guards the first of a packet's own fields, and an address by less than a MAC.
_ITS_OWN = "iifname . ip saddr . ether saddr @port_src4"
_ESTABLISHED = Rule(("ct state established", "accept"))
_INVALID = Rule(("ct state invalid", "counter", "drop"))
# An error counts as related whoever sends it: a guest may report those of its own connections only.
_RELATED = Rule(("ct state related", "jump strays"))
# With tcp_loose=1 (the default) a flow whose entry was deleted comes back as a new one by its next packet, and SCTP's
# always does by a heartbeat. Chunk 1 is INIT. A connection's first packet passes by its flags, not its state.
_NO_SYN = Rule(("tcp flags & (fin|syn|rst|ack) != syn", "ct state new", "counter", "drop"))
_NO_INIT = Rule(("meta l4proto 132", "ct state new", "@th,96,8 != 1", "counter", "drop"))
# Somebody on the underlay is none of ours for saying so: the way back must be the way it came. Before connection
# tracking (-200), so that no flow that is established learns of it.
_ASTRAY = ("fib saddr . iif oif missing", "counter", "drop")
_CLAIMS = Rule(("ip saddr @internal4", *_ASTRAY))
_TUNNELLED = f'iifname "{DEVICE}"'


@cache
def chains(metadata_port: int, dccp_ports: bool = False, tunnel: int | None = None) -> Mapping[str, Chain]:
    """The base chains of `inet cloudsync` and the chains that every guest's packets pass.

    `dccp_ports`: some rule tells ports of DCCP apart. `tunnel`: the number of the one to other hosts.
    """
    return (
        _filters(metadata_port, (_BY_PACKET,) if dccp_ports else (), tunnel)
        | _translations(metadata_port)
        | {
            "antispoof": _antispoof(),
            "not_plain": _not_plain(),
            "open_source": _open_source(),
            "strays": _strays(),
            **({} if tunnel is None else {"tunnelled": _tunnelled()}),
            "guest_to_host": _host(metadata_port),
        }
    )


def _filters(metadata_port: int, untracked: tuple[Rule, ...], tunnel: int | None) -> dict[str, Chain]:
    not_for_others = (_NOT_FROM, 'iifname != "lo"', f"tcp dport {metadata_port}", "counter", "drop")
    arriving = () if tunnel is None else (Rule((_TUNNELLED, "jump tunnelled")),)
    return {
        # Before fragments are put together (-400): else a guest's would complete another guest's datagram.
        # Nearly all packets are what they should be, and pass by one rule. A guest's go no further than antispoof: to
        # look at an interface's name costs as much as a hook, and everybody else's packets have to here.
        "prerouting_raw": _base(
            "filter",
            "prerouting",
            -450,
            *untracked,
            Rule((_FROM, _PLAIN, _ITS_OWN, _MARKED, "accept")),
            Rule((_FROM, "goto antispoof")),
            *arriving,
            _CLAIMS,
        ),
        # After destination NAT (-100): replies to masqueraded flows bear a pool's address only from there on. And after
        # what others do to marks (-150), by which a mark of the rule above may be gone.
        "prerouting_mark": _base(
            "filter",
            "prerouting",
            -90,
            Rule((_HAS_MARK, "accept")),
            Rule((_FROM, _MARKED, "accept")),
            Rule(("ip daddr @internal4", _MARKED)),
        ),
        "input": _base(
            "filter", "input", -10, Rule((_FROM, "jump guest_to_host")), Rule(not_for_others), *_ends(tunnel)
        ),
        "forward_from": _base(
            "filter",
            "forward",
            -10,
            _ESTABLISHED,
            Rule((_NOT_FROM, "accept")),
            _INVALID_FORWARDED,
            _RELATED,
            _NO_SYN,
            _NO_INIT,
            _NOT_TRACKED_OUT,
            Rule(("ip daddr @infra4", "counter", "drop")),
            Rule((f"ip daddr {LINK_LOCAL}", "counter", "drop")),
            Rule(("udp sport 67", "udp dport 68", "counter", "drop")),
            Rule(("iifname vmap @egress",)),
            _DENY,
        ),
        "forward_to": _base(
            "filter",
            "forward",
            -9,
            Rule(("ct state established,related", "accept")),
            Rule((_NOT_TO, "accept")),
            _INVALID_FORWARDED,
            _NO_SYN,
            _NO_INIT,
            Rule(("udp sport 68", "udp dport 67", "counter", "drop")),
            Rule(("oifname vmap @ingress",)),
            _DENY,
        ),
        # send_redirects is the OR of the tap's and `all`: dropping them here leaves the host's own setting alone.
        "output": _base("filter", "output", -10, Rule((_TO, "icmp type 5", "drop"))),
    }


def _ends(tunnel: int | None) -> tuple[Rule, ...]:
    """The tunnel's own packets come from other hosts only, by the way back to them; none is for this host itself.

    The number stands in the packet 4 bytes behind UDP's header: other people's tunnels end at the same port.
    """
    if tunnel is None:
        return ()
    ours = (f"udp dport {PORT}", f"@th,96,24 {tunnel}")
    return (
        Rule((*ours, "ip saddr != @peers4", "counter", "drop")),
        Rule((*ours, *_ASTRAY)),
        Rule((_TUNNELLED, "counter", "drop")),
    )


def _tunnelled() -> Chain:
    """Out of the tunnel come packets between instances, and other hosts' errors about them."""
    errors = (Rule(("ip saddr @peers4", f"icmp type {kind}", "return")) for kind in (3, 11))
    return Chain(
        (
            Rule(("meta nfproto ipv6", "counter", "drop")),
            Rule(("ip daddr != @internal4", "counter", "drop")),
            *errors,
            Rule(("ip saddr != @internal4", "counter", "drop")),
        )
    )


def _translations(metadata_port: int) -> dict[str, Chain]:
    floating = Rule(("dnat ip to ip daddr map @fip_in4",))
    to_metadata = (f"ip daddr {METADATA}", "tcp dport 80", _FROM, f"redirect to :{metadata_port}")
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
    discover = ("ip saddr 0.0.0.0", "ip daddr 255.255.255.255", "udp sport 68", "udp dport 67")
    return Chain(
        (
            Rule((_NOT_PLAIN, "jump not_plain")),
            Rule((_ITS_OWN, "return")),
            Rule((*discover, "iifname . ether saddr @port_macs", "return")),
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
            Rule(("ip saddr @floating4", "counter", "drop")),
            Rule((f"ip saddr {LINK_LOCAL}", "counter", "drop")),
        )
    )


def _not_plain() -> Chain:
    """No IPv6, and no packet that chooses its own way or writes it down."""
    routes = (Rule((f"ip option {name} exists", "counter", "drop")) for name in ("lsrr", "ssrr", "rr"))
    return Chain((Rule(("meta nfproto ipv6", "counter", "drop")), *routes))


def _strays() -> Chain:
    """An error is true only from one of the two whose connection it is about; redirects are for routers to send.

    What stands behind an open port may be a router, which reports errors of those whom it routes for, but not of ours.
    """
    strangers = ("ct original ip saddr != @internal4", "ct reply ip saddr != @internal4")
    return Chain(
        (
            Rule(("icmp type 5", "counter", "drop")),
            Rule(("iifname . ct original ip saddr . ether saddr @port_src4", "accept")),
            Rule(("iifname . ct reply ip saddr . ether saddr @port_src4", "accept")),
            Rule(("iifname . ct original ip saddr @open_src4", "accept")),
            Rule(("iifname . ct reply ip saddr @open_src4", "accept")),
            Rule(("iifname @open_ports", *strangers, "accept")),
            _DENY,
        )
    )


def _host(metadata_port: int) -> Chain:
    """What a guest may ask of its host: DHCP; and, from its own address, names, metadata, ping of the gateway."""
    lease = ("udp sport 68", "udp dport 67", "accept")
    return Chain(
        (
            _ESTABLISHED,
            _INVALID,
            _RELATED,
            Rule(("ip daddr 255.255.255.255", *lease)),
            Rule(("ip daddr @gateways4", *lease)),
            Rule(("iifname @open_ports", "iifname . ip saddr != @open_src4", "counter", "drop")),
            # The kernel answers the middle of a connection that it does not have with a reset, so cloud-init asks again
            # at once when its guest has moved in the meantime.
            Rule(("ct status dnat", f"tcp dport {metadata_port}", "accept")),
            _NO_SYN,
            Rule(("ip daddr @gateways4", "udp dport 53", "accept")),
            Rule(("ip daddr @gateways4", "tcp dport 53", "accept")),
            Rule(("ip daddr @gateways4", "icmp type 8", "limit rate 20/second burst 5 packets", "accept")),
            _DENY,
        )
    )


@cache
def arp_chains() -> Mapping[str, Chain]:
    """Without these a guest fills the host's neighbour table with senders it makes up."""
    return {
        "input": _base("filter", "input", 0, Rule((_FROM, "jump guest")), Rule((_TUNNELLED, "counter", "drop"))),
        "guest": Chain(
            (
                Rule(("iifname . ether saddr . arp saddr ether . arp saddr ip @port_arp", "accept")),
                Rule(("iifname . arp saddr ip @open_arp", "accept")),
                _DENY,
            )
        ),
    }


def _base(kind: str, hook: str, priority: int, *rules: Rule) -> Chain:
    return Chain(rules, Base(kind, hook, priority))
