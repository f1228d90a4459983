"""One host's nftables tables as a value: what a document compiles to and what `nft -j` reads back to.

Every expression is text in one normal form (numbers where nft would look names up), so equal values mean equal rules.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from cloudsync.model.dataclass import dataclass
from cloudsync.spec.rules import PROTOCOLS

TABLE = "cloudsync"
FAMILIES = ("inet", "arp")
_PROTOCOL = re.compile(r"(?:meta l4proto|ip protocol) (?:!= )?(?:[0-9]+|\{[0-9, ]+\})")
_NAMED = {str(number): name for name, number in PROTOCOLS.items() if number > 0}


@dataclass(frozen=True, slots=True)
class Rule:
    """`parts` are nft expressions in order, counters without their values; `comment` traces the rule to the spec.

    `packets` is what its counter said when it was read, None without one, `handle` what the kernel calls it; neither
    makes it another rule.
    """

    parts: tuple[str, ...]
    comment: str = ""
    packets: int | None = field(default=None, compare=False)
    handle: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self._commented(" ".join(self.parts))

    @property
    def words(self) -> str:
        """What it does, for people: with protocols by the names that a spec has for them. nft knows most of these."""
        return " ".join(_spelled(part) for part in self.parts)

    @property
    def told(self) -> str:
        """`words` with the comment."""
        return self._commented(self.words)

    def _commented(self, text: str) -> str:
        return f'{text} comment "{self.comment}"' if self.comment else text


def _spelled(part: str) -> str:
    if not _PROTOCOL.fullmatch(part):
        return part
    return re.sub(r"\b[0-9]+\b", lambda number: protocol_name(number[0]), part)


def protocol_name(number: str) -> str:
    """As a spec would write it; a number that has no name there stays one."""
    return _NAMED.get(number, number)


@dataclass(frozen=True, slots=True)
class Base:
    """What makes a chain a base chain. `priority` is a number: 1.0.6 rejects some names on some hooks."""

    kind: str
    hook: str
    priority: int
    policy: str = "accept"


@dataclass(frozen=True, slots=True)
class Chain:
    rules: tuple[Rule, ...] = ()
    base: Base | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A set (`value` empty) or a map. `elements` maps each key's text to its value's, "" in a set.

    `extras` are properties we never set (a timeout, a size): a container that has some is not ours as it stands.
    """

    key: tuple[str, ...]
    value: str = ""
    flags: tuple[str, ...] = ()
    comment: str = ""
    extras: tuple[str, ...] = ()
    elements: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return "map" if self.value else "set"

    @property
    def shape(self) -> tuple[object, ...]:
        """All that nft cannot change without making the container anew."""
        return (self.key, self.value, self.flags, self.comment, self.extras)


@dataclass(frozen=True, slots=True)
class Table:
    """`others` are objects of kinds we never make, as (kind, name): somebody else's. `flagged`: the table has a flag,
    which is `dormant` where nobody's program owns it: its chains see no packet."""

    containers: Mapping[str, Container] = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)
    others: frozenset[tuple[str, str]] = frozenset()
    flagged: bool = False


class Owners(Mapping[str, str]):
    """Made when it is first asked: it is as long as the cloud, only serves messages, and mostly there are none."""

    def __init__(self, make: Callable[[], Mapping[str, str]]) -> None:
        self._make = make
        self._made: Mapping[str, str] | None = None

    def _known(self) -> Mapping[str, str]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, key: str) -> str:
        return self._known()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())


@dataclass(frozen=True, slots=True)
class Ruleset:
    """Tables by family; a family that is absent has no table of ours.

    `owners` maps chain names, set names, taps, addresses and subnets to the KIND.NAME they come from; it only serves
    messages and is no part of equality.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict, compare=False)
