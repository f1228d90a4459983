"""Whose rules stop a packet, told by the names that each program gives its tables and chains (pure)."""

from enum import StrEnum

from cloudsync.agent.neighbours.foreign import Act, Table, Tool


class Owner(StrEnum):
    DOCKER = "Docker"
    UFW = "ufw"
    FIREWALLD = "firewalld"
    IPTABLES = "iptables"
    NFTABLES = "nftables"


DOCKER_USER = "DOCKER-USER"
"""The chain that Docker makes for rules of others and never empties; FORWARD begins with a jump to it."""


def owner(table: Table, chain: str) -> Owner:
    """The owner of a base chain. A chain may be used by several: the one whose own command can mend it goes first."""
    if table.name == "firewalld":
        return Owner.FIREWALLD
    if table.tool is Tool.NFT:
        return Owner.NFTABLES
    called = {rule.target for rule in table.chains[chain].rules if rule.act is Act.JUMP}
    if any(name.startswith("ufw-") and table.chains[name].rules for name in called):
        return Owner.UFW
    return Owner.DOCKER if DOCKER_USER in called else Owner.IPTABLES
