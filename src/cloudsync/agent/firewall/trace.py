"""A packet through a ruleset, as the kernel would walk it (pure): what becomes of it, and by which rules.

The agent asks it about the rules that the kernel really holds; tests hold the compiler and the model against it.
"""

from collections.abc import Mapping
from dataclasses import field
from ipaddress import IPv4Address, IPv4Network

from cloudsync.agent.firewall.match import Frame, Unreadable, looked_up, matches
from cloudsync.agent.firewall.mentioned import mentioned, sample
from cloudsync.agent.firewall.ruleset import TABLE, Rule, Ruleset, Table
from cloudsync.agent.links.guard import MARK
from cloudsync.agent.links.remote import DEVICE, peers, ways
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.resources import WITH_PORTS
from cloudsync.model.ruling import Ruling, Stop
from cloudsync.reach.question import Question
from cloudsync.reach.service import Service
from cloudsync.spec.rules import PROTOCOLS

UPLINK = "uplink"
_PASSED_OVER = ("counter", "limit ", "log ")
_OWN = "what a host itself sends is not filtered"
_GUARDED = "nothing in table inet cloudsync marked it, and the guard does not forward what is not marked"


def rulings(
    ruleset: Ruleset, document: HostDocument, asked: Question, local: frozenset[str], ours: Ruleset | None = None
) -> tuple[Ruling, ...]:
    """One for each service. `document` says whose taps are here; `local` are the host's own addresses. A rule that is
    not among `ours`, when they are given, is told as foreign."""
    table = ruleset.tables.get("inet")
    known = mentioned(table) if table else ()
    way = _Way(table, document, local, ours.tables.get("inet") if ours else None)
    return tuple(way.ruling(asked, service, sample(service, known)) for service in asked.services or known)


class _Way:
    """One host's table and what is around it."""

    def __init__(self, table: Table | None, document: HostDocument, local: frozenset[str], ours: Table | None) -> None:
        self._off = table is not None and table.flagged
        self._table, self._host, self._ours = None if self._off else table, document.host, ours
        # A gateway's address is there once a tap is.
        self._local = local | {network.gateway for network in document.networks.values()}
        self._nics = {nic.address: nic for one in document.instances.values() for nic in one.nics}
        self._pools = [IPv4Network(network.subnet) for network in document.networks.values()]
        self._ways = {way.destination: way.device or UPLINK for way in ways(document)}
        # A host's own packets for an instance elsewhere take the tunnel as well: its end is where they come out.
        self._tunnelled = frozenset(peer.address for peer in peers(document))

    def ruling(self, asked: Question, service: Service, packet: Service) -> Ruling:
        taps = {address: nic.tap for address, nic in self._nics.items()}
        walk = _Walk(self._table or Table(), self._frame(asked, packet), taps, self._ours)
        allowed: bool | None
        try:
            allowed, why = walk.through(self._local, self._pools)
        except Unreadable as unknown:
            allowed, why = None, f"a rule cannot be judged: {unknown}"
        if self._table is None and allowed is False:
            what = "switched off" if self._off else "missing"
            why = f"the firewall table inet {TABLE} is {what}, and the guard does not forward without it"
        return Ruling(
            host=self._host,
            service=str(service),
            packet=str(packet),
            allowed=allowed,
            stops=tuple(walk.stops),
            why=why,
        )

    def _frame(self, asked: Question, packet: Service) -> Frame:
        """As it comes in: from a tap when the sender is a guest of this host, from nowhere when it is the host itself,
        else by the way to other hosts or out."""
        nic = self._nics.get(asked.source)
        protocol = PROTOCOLS.get(packet.protocol) or int(packet.protocol)
        port = packet.ports[0] if packet.ports else None
        return Frame(
            source=asked.source,
            target=asked.target,
            protocol=protocol,
            port=port,
            icmp=(packet.icmp[0], packet.icmp[1] or 0) if packet.icmp else None,
            mac=nic.mac if nic else "",
            iif=nic.tap if nic else self._iif(asked.source),
            back=nic.tap if nic else self._back(asked.source),
            # Connection tracking checks UDP-Lite by UDP's checksum.
            state="invalid" if protocol == WITH_PORTS["udplite"] else "new",
            source_port=68 if (protocol, port) == (17, 67) and asked.target in self._local else 49152,
        )

    def _iif(self, source: str) -> str:
        if source in self._local:
            return ""
        return DEVICE if source in self._tunnelled else self._ways.get(source, UPLINK)

    def _back(self, source: str) -> str:
        """Nothing leads to an address of ours that nobody has."""
        if source in self._ways:
            return self._ways[source]
        return "" if any(IPv4Address(source) in pool for pool in self._pools) else UPLINK


@dataclass(slots=True)
class _Walk:
    """One packet's way. `taps` leads from an address to the device behind which it is; `ours` is None while it is not
    known what we made."""

    table: Table
    frame: Frame
    taps: Mapping[str, str]
    ours: Table | None = None
    stops: list[Stop] = field(default_factory=list)

    def through(self, local: frozenset[str], pools: list[IPv4Network]) -> tuple[bool, str]:
        """Whether it gets to its end, and why where no rule says so."""
        if self.frame.source in local:
            return self._sent()
        if not self._hook("prerouting"):
            return False, self._policy()
        if self.frame.here or self.frame.target in local:
            return self._hook("input"), self._policy()
        ends = [IPv4Address(end) for end in (self.frame.source, self.frame.target)]
        if not self.frame.mark & MARK and any(end in pool for end in ends for pool in pools):
            return False, _GUARDED
        self.frame.oif = self.taps.get(self.frame.target, UPLINK)
        return self._hook("forward") and self._hook("postrouting"), self._policy()

    def _sent(self) -> tuple[bool, str]:
        """What a host itself sends passes neither what is for arriving packets nor what is for forwarded ones."""
        self.frame.oif = self.taps.get(self.frame.target, UPLINK)
        passes = self._hook("output") and self._hook("postrouting")
        return passes, _OWN if passes and not self.stops else self._policy()

    def _policy(self) -> str:
        last = self.stops[-1] if self.stops else None
        return f"the policy of chain {last.base} is drop" if last and last.verdict == "drop" and not last.rule else ""

    def _hook(self, hook: str) -> bool:
        """All base chains of a hook; an accept ends one of them, a drop is final. What is let in is not let through."""
        based = [(chain.base, name) for name, chain in self.table.chains.items() if chain.base]
        for base, name in sorted((one for one in based if one[0].hook == hook), key=lambda one: one[0].priority):
            ended = self._run(name)
            if ended is None and base.policy == "drop":
                self.stops.append(Stop(base=name, chain=name, rule="", verdict="drop"))
                return False
            if ended and (ended[2] == "drop" or (base.kind == "filter" and hook != "prerouting")):
                self.stops.append(self._stop(name, *ended))
                if ended[2] == "drop":
                    return False
        return True

    def _run(self, chain: str) -> tuple[str, Rule, str] | None:
        """The chain, rule and verdict that end the base chain's run; None when this chain leaves it open."""
        for rule in self.table.chains[chain].rules:
            verdict = self._verdict(rule)
            if verdict in ("accept", "drop"):
                return chain, rule, verdict
            if verdict == "return":
                return None
            kind, _, name = verdict.partition(" ")
            if kind in ("jump", "goto"):
                ended = self._run(name)
                if ended or kind == "goto":
                    return ended
        return None

    def _verdict(self, rule: Rule) -> str:
        """What the rule does with the packet: a verdict, or nothing."""
        verdict = ""
        for part in rule.parts:
            said = self._part(part, rule)
            if said is None:
                return ""
            verdict = said or verdict
        return verdict

    def _part(self, part: str, rule: Rule) -> str | None:
        """None when the packet does not match; the verdict, empty for what has none."""
        if part in ("accept", "drop", "return") or part.startswith(("jump ", "goto ")):
            return part
        if part.startswith(_PASSED_OVER):
            return ""
        if part == "notrack":
            self.frame.state = "untracked"
            return ""
        if part.startswith("meta mark set meta mark | "):
            self.frame.mark |= int(part.rpartition(" ")[2], 16)
            return ""
        if " vmap @" in part:
            return looked_up(part, self.frame, self.table.containers) or None
        if part.startswith(("masquerade", "snat ", "dnat ", "redirect ")):
            return self._translated(part)
        try:
            return "" if matches(part, self.frame, self.table.containers) else None
        except Unreadable:
            raise Unreadable(rule.told) from None

    def _translated(self, part: str) -> str | None:
        """NAT ends its chain. Only what the target becomes matters to the chains that follow."""
        if part.startswith("redirect to :"):
            self.frame.here, self.frame.port, self.frame.dnat = True, int(part.rpartition(":")[2]), True
        elif part.startswith("dnat ip to ip daddr map @"):
            name = part.rpartition("@")[2]
            fixed = self.table.containers[name].elements.get(self.frame.target)
            if fixed is None:
                return None
            self.frame.target, self.frame.dnat = fixed, True
        return "accept"

    def _stop(self, base: str, chain: str, rule: Rule, verdict: str) -> Stop:
        known = self.ours.chains.get(chain) if self.ours else None
        return Stop(
            base=base,
            chain=chain,
            rule=rule.words,
            verdict=verdict,
            comment=rule.comment,
            packets=rule.packets,
            foreign=self.ours is not None and (known is None or rule not in known.rules),
            handle=rule.handle,
        )
