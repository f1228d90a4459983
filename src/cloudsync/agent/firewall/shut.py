"""The least that keeps guests in: what is loaded where the host's own rules cannot be.

It names nothing of a document and no chain of the layout, so it can be refused only with nftables itself, goes beside
whatever else is there, and is taken out by the next script that brings the layout in.
"""

from cloudsync.agent.firewall import nft
from cloudsync.agent.firewall.names import TAPS
from cloudsync.agent.firewall.render import add_chain, add_rules, add_table, flush
from cloudsync.agent.firewall.ruleset import Base, Chain, Rule

_CHAINS = {
    ("inet", "shut_from"): Chain((Rule((f'iifname "{TAPS}"', "counter", "drop")),), Base("filter", "prerouting", -310)),
    ("inet", "shut_to"): Chain((Rule((f'oifname "{TAPS}"', "counter", "drop")),), Base("filter", "forward", -20)),
    ("arp", "shut"): Chain((Rule((f'iifname "{TAPS}"', "counter", "drop")),), Base("filter", "input", -10)),
}


def shut() -> None:
    """No packet from or to a guest passes from here on. Raise HostError when the kernel refuses even this."""
    nft.commit(script())


def script() -> str:
    """Loading it again changes nothing."""
    lines = []
    for (family, name), chain in _CHAINS.items():
        lines += [add_table(family), add_chain(family, name, chain), flush(family, "chain", name)]
        lines += add_rules(family, name, chain.rules)
    return "".join(f"{line}\n" for line in lines)
