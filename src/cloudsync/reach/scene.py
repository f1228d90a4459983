"""Everything that decides who may talk to whom, as one value: network cards, whose rules hold for them, subnets.

The agent asks it which running flows may stay; the planner and the command line ask it by way of `judge`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cached_property, lru_cache

from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import Direction, Group, Network
from cloudsync.reach.law import Law
from cloudsync.reach.service import Service
from cloudsync.reach.spot import Range, Spot, at, span

Laws = Mapping[Direction, tuple[Law, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Port:
    """One network card. Ports whose groups are the same have the same tuples of laws.

    `guarded` is its port_security: without it nothing is filtered. `floating` is its address outside, `host` where it
    is, empty while that is not decided.
    """

    instance: str
    network: str
    spot: Spot
    groups: tuple[str, ...]
    egress: tuple[Law, ...] = field(repr=False)
    ingress: tuple[Law, ...] = field(repr=False)
    guarded: bool = True
    floating: str | None = None
    host: str = ""

    def laws(self, direction: Direction) -> tuple[Law, ...]:
        return self.egress if direction is Direction.EGRESS else self.ingress

    def permits(self, direction: Direction, other: Spot, service: Service) -> bool:
        """Whether some rule certainly lets it through."""
        return not self.guarded or any(law.meets(other) is True for law in _about(self.laws(direction), service))


@lru_cache(maxsize=4096)
def _about(laws: tuple[Law, ...], service: Service) -> tuple[Law, ...]:
    """Those that have all of it, whoever the other side is: of a hundred thousand flows most are of few services."""
    return tuple(law for law in laws if law.service.covers(service))


def untracked(groups: Iterable[Group]) -> frozenset[str]:
    """Connection tracking takes all UDP-Lite for damaged; DCCP is kept from it while a rule tells its ports apart."""
    dccp = any(rule.protocol == "dccp" and rule.ports for group in groups for rule in group.rules)
    return frozenset({"udplite", "dccp"} if dccp else {"udplite"})


@dataclass(frozen=True)
class Scene:
    """`infra` are addresses of hosts, which no guest may reach. `untracked` are protocols whose packets are judged one
    by one: nothing translates those, and so they stay inside the cloud. `hosts` are names of hosts by address, `unsaid`
    those of which no address is known. `tunnelled`: the tunnel between hosts carries packets of guests only."""

    ports: tuple[Port, ...]
    networks: Mapping[str, Network] = field(default_factory=dict)
    infra: tuple[Range, ...] = ()
    untracked: frozenset[str] = frozenset()
    hosts: Mapping[str, str] = field(default_factory=dict)
    unsaid: tuple[str, ...] = ()
    tunnelled: bool = False

    @cached_property
    def at(self) -> Mapping[str, Port]:
        """Ports by their address, the floating one too; those that have none yet by their spot's key."""
        floating = {port.floating: port for port in self.ports if port.floating}
        return floating | {port.spot.key: port for port in self.ports}

    @cached_property
    def of(self) -> Mapping[str, tuple[Port, ...]]:
        """Ports by instance."""
        found: dict[str, tuple[Port, ...]] = {}
        for port in self.ports:
            found[port.instance] = (*found.get(port.instance, ()), port)
        return found

    def confined(self, service: Service, there: Spot) -> bool:
        """Whether no guest's packet of that kind gets there, whatever its groups say."""
        if service.protocol not in self.untracked:
            return False
        return not any(there.within(span(network.subnet)) for network in self.networks.values())

    def permits(self, source: str, target: str, service: Service) -> bool:
        """Whether one packet may pass: both ends must agree where both are here; what has no end here is permitted."""
        here, there = at(source), at(target)
        sender, receiver = self.at.get(source), self.at.get(target)
        if sender and (any(there.within(infra) for infra in self.infra) or self.confined(service, there)):
            return False
        return (sender is None or sender.permits(Direction.EGRESS, there, service)) and (
            receiver is None or receiver.permits(Direction.INGRESS, here, service)
        )
