"""Other programs' rules as values, whatever tool they were written with: what nftables.py and iptables.py read into.

Only what decides about a packet is kept. What cannot be read is kept as that, never guessed.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from cloudsync.model.dataclass import dataclass


class Asks(StrEnum):
    """What a condition is about. UNREADABLE may be true or not."""

    INPUT = "iifname"
    OUTPUT = "oifname"
    SOURCE = "ip saddr"
    TARGET = "ip daddr"
    TARGET_KIND = "kind of target"
    FAMILY = "family"
    PROTOCOL = "protocol"
    SOURCE_PORT = "sport"
    TARGET_PORT = "dport"
    ICMP = "icmp type"
    STATE = "ct state"
    STATUS = "ct status"
    NEVER = "never"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Condition:
    """True when one of `values` fits, or none when `negated`.

    Values are text: names of interfaces (`docker*`), addresses (`10.0.0.0/8`, `10.0.0.1-10.0.0.9`), numbers (`67-68`)
    or words.
    """

    asks: Asks
    values: tuple[str, ...] = ()
    negated: bool = False


class Act(StrEnum):
    """How a rule ends; NAT is every kind of translation. NEXT goes on with the following rule."""

    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"
    NAT = "nat"
    RETURN = "return"
    JUMP = "jump"
    GOTO = "goto"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Rule:
    """`target` is the chain of a JUMP or GOTO."""

    conditions: tuple[Condition, ...]
    act: Act
    target: str = ""

    @property
    def opaque(self) -> bool:
        return any(one.asks is Asks.UNREADABLE for one in self.conditions)


@dataclass(frozen=True, slots=True)
class Base:
    """What makes a chain a base chain. `kind` is filter, nat or route."""

    kind: str
    hook: str
    priority: int
    drops: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    rules: tuple[Rule, ...] = ()
    base: Base | None = None


class Tool(StrEnum):
    """What a table was made with and is to be changed with."""

    NFT = "nft"
    IPTABLES_NFT = "iptables-nft"
    IPTABLES_LEGACY = "iptables-legacy"


@dataclass(frozen=True, slots=True)
class Table:
    family: str
    name: str
    tool: Tool
    chains: Mapping[str, Chain] = field(default_factory=dict)

    def bases(self) -> Mapping[str, Base]:
        """Its base chains by name."""
        return {name: chain.base for name, chain in self.chains.items() if chain.base}


UNREADABLE = Condition(Asks.UNREADABLE)
IPTABLES = ("raw", "mangle", "nat", "filter", "security")
"""Names of tables that iptables has, in the order in which a packet meets them."""
