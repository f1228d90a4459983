"""Two Rulesets, what should be and what is -> what differs, in words that name addresses of the spec (pure)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import field

from cloudsync.agent.firewall.ruleset import TABLE, Chain, Container, Rule, Ruleset, Table, protocol_name
from cloudsync.model.dataclass import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """`address` is KIND.NAME of what is not protected or not reached as it should be. `rule`, where it is about one of
    `chain`, is `extra` there or missing."""

    address: str
    message: str
    chain: str = field(default="", compare=False)
    rule: Rule | None = field(default=None, compare=False)
    extra: bool = field(default=False, compare=False)


def differences(wanted: Ruleset, found: Ruleset) -> tuple[Difference, ...]:
    """Sorted; empty when the kernel holds exactly what it should."""
    missed: list[Difference] = []
    for family, table in wanted.tables.items():
        there = found.tables.get(family)
        if there is None:
            missed.append(Difference(_host(wanted), f"the firewall table {family} {TABLE} is missing"))
        else:
            missed += _Look(family, wanted.owners).table(table, there)
    return tuple(sorted(set(missed)))


def _host(ruleset: Ruleset) -> str:
    return ruleset.owners.get("host", "host.?")


_ELEMENTS = {
    "port_src4": ("its anti-spoofing entry is missing", "a foreign anti-spoofing entry was added: {}"),
    "port_macs": ("its MAC is not known to DHCP", "a foreign MAC was added: {}"),
    "port_arp": ("its ARP anti-spoofing entry is missing", "a foreign ARP entry was added: {}"),
    "open_src4": ("the source address of its open port is missing", "a foreign source of an open port was added: {}"),
    "open_arp": ("the ARP address of its open port is missing", "a foreign ARP address of an open port was added: {}"),
    "open_ports": ("its port is filtered although port_security is off", "filtering of {} was switched off"),
    "egress": ("its outgoing rules are not in force", "outgoing rules of an unknown port were added: {}"),
    "ingress": ("its incoming rules are not in force", "incoming rules of an unknown port were added: {}"),
    "fip_in4": ("its floating address does not lead to it", "a foreign floating address was added: {}"),
    "fip_out4": ("it does not leave by its floating address", "{} leaves by a foreign floating address"),
    "fip_self4": ("it does not reach itself by its floating address", "a foreign floating address was added: {}"),
}
_SETS = {
    "gateways4": "a gateway",
    "infra4": "an address guests may not reach",
    "floating4": "a floating address",
    "internal4": "a subnet",
    "nat_src4": "a subnet that leaves through the uplink",
}


@dataclass(frozen=True, slots=True)
class _Look:
    family: str
    owners: Mapping[str, str]

    @property
    def host(self) -> str:
        return self.owners.get("host", "host.?")

    def _owner(self, name: str) -> str:
        return self.owners.get(name, self.host)

    def table(self, wanted: Table, found: Table) -> Iterator[Difference]:
        if found.flagged:
            yield Difference(self.host, f"table {self.family} {TABLE} is switched off: none of its rules is in force")
        for name, container in wanted.containers.items():
            yield from self._container(name, container, found.containers.get(name))
        for name, chain in wanted.chains.items():
            yield from self._chain(name, chain, found.chains.get(name))
        strangers = [("chain", name) for name in found.chains if name not in wanted.chains]
        strangers += [(there.kind, name) for name, there in found.containers.items() if name not in wanted.containers]
        for kind, name in (*strangers, *found.others):
            yield Difference(self.host, f"{kind} {name} in table {self.family} {TABLE} is not ours")

    def _container(self, name: str, wanted: Container, found: Container | None) -> Iterator[Difference]:
        if found is None:
            yield Difference(self._owner(name), f"{wanted.kind} {name} is missing")
            return
        if wanted.shape != found.shape:
            yield Difference(self._owner(name), f"{wanted.kind} {name} was made anew with other properties")
        if wanted.elements == found.elements:
            return
        for key, value in wanted.elements.items():
            if found.elements.get(key) != value:
                yield self._missing(name, key)
        for key in found.elements:
            if key not in wanted.elements:
                yield self._extra(name, key)

    def _missing(self, name: str, key: str) -> Difference:
        if name in _ELEMENTS:
            return Difference(self._owner(key.split(" . ")[0]), _ELEMENTS[name][0])
        if name in _SETS:
            return Difference(self._owner(key), f"{_SETS[name]} is missing from {name}: {key}")
        return Difference(self._owner(name), f"member {self._named(key)} is missing")

    def _extra(self, name: str, key: str) -> Difference:
        if name in _ELEMENTS:
            whose = self._owner(key.split(" . ")[0])
            return Difference(whose, _ELEMENTS[name][1].format(key))
        if name in _SETS:
            return Difference(self.host, f"{_SETS[name]} was added to {name}: {key}")
        return Difference(self._owner(name), f"{self._named(key)} was added to its members")

    def _named(self, address: str) -> str:
        return f"{address} ({self.owners[address]})" if address in self.owners else address

    def _chain(self, name: str, wanted: Chain, found: Chain | None) -> Iterator[Difference]:
        if found == wanted:
            return
        owner = self._owner(name)
        if found is None:
            yield Difference(owner, f"chain {name} is missing")
            return
        if wanted.base != found.base:
            yield Difference(owner, f"chain {name} was changed: {_shown(found)} instead of {_shown(wanted)}")
        if wanted.rules == found.rules:
            return
        expected, there = Counter(wanted.rules), Counter(found.rules)
        for rule in expected - there:
            yield _missing_rule(rule, name, owner)
        for rule in there - expected:
            yield Difference(owner, f"a rule of chain {name} is not ours: {rule.told}", name, rule, extra=True)
        if expected == there:
            yield Difference(owner, f"the rules of chain {name} are in another order")


def _missing_rule(rule: Rule, chain: str, owner: str) -> Difference:
    """A group's rule bears its own words; the rest is named by what it does."""
    if owner.startswith("group.") and rule.comment:
        protocol, _, rest = rule.comment.partition(" ")[2].partition(" ")
        return Difference(owner, f"rule {protocol_name(protocol)} {rest} is missing", chain, rule)
    return Difference(owner, f"rule `{rule.words}` of chain {chain} is missing", chain, rule)


def _shown(chain: Chain) -> str:
    base = chain.base
    return f"{base.kind} {base.hook} priority {base.priority} policy {base.policy}" if base else "no base chain"
