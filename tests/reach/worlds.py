"""Random documents of two hosts of one cloud, and packets that go near what their rules are about."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from cloudsync.model.document import HostDocument
from cloudsync.model.resources import WITH_PORTS, Direction, Group, Instance, Network, Rule
from cloudsync.reach.question import Question
from cloudsync.reach.service import of_packet
from tests.firewall.documents import NETWORK, document, group, instance

BACK = Network(name="back", subnet="10.30.0.0/24", gateway="10.30.0.1", domain="b.internal", nat=False)
NAMES = ("a", "b", "c", "d", "e")
GROUPS = ("default", "web", "db")
INFRA = ("198.51.100.11", "198.51.100.12")
PREFIXES = ("10.0.0.0/8", "10.20.0.8/29", "192.0.2.0/24", "192.0.2.7/32", "198.51.100.0/24", "2001:db8::/32")
OUTSIDE = ("192.0.2.7", "192.0.2.9", "198.51.100.200", "203.0.113.1", "10.9.9.9")
REMOTES = (
    "any",
    *PREFIXES,
    "network.default",
    "network.back",
    *(f"group.{name}" for name in GROUPS),
    *(f"instance.{name}" for name in NAMES),
)
PORTS = (22, 53, 67, 80, 443, 444)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    protocol = draw(st.sampled_from(("any", "tcp", "tcp", "udp", "icmp", "sctp", "47", "dccp", "udplite")))
    ports, icmp = None, None
    if protocol in WITH_PORTS:
        first = draw(st.sampled_from((None, *PORTS)))
        ports = None if first is None else (first, draw(st.sampled_from([port for port in PORTS if port >= first])))
    elif protocol == "icmp":
        icmp = draw(st.sampled_from((None, (8, None), (8, 0), (3, 4))))
    return Rule(
        direction=draw(st.sampled_from(Direction)),
        protocol=protocol,
        ports=ports,
        icmp=icmp,
        remote=draw(st.sampled_from(REMOTES)),
    )


@st.composite
def groups(draw: st.DrawFn) -> tuple[Group, ...]:
    """Half of them let everything out, as most do."""
    found = []
    for name in GROUPS:
        own = draw(st.lists(rules(), max_size=4))
        found.append(group(name, *own, *([Rule(direction=Direction.EGRESS)] if draw(st.booleans()) else [])))
    return tuple(found)


@dataclass(frozen=True)
class World:
    """`hosts` have one document each."""

    hosts: tuple[HostDocument, HostDocument]

    @property
    def instances(self) -> Mapping[str, Instance]:
        return {name: one for host in self.hosts for name, one in host.instances.items()}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    walls = draw(groups())
    here: list[Instance] = []
    there: list[Instance] = []
    for at, name in enumerate(draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4))):
        network = draw(st.sampled_from(("default", "back")))
        one = instance(
            name,
            f"10.{20 if network == 'default' else 30}.0.{draw(st.sampled_from((4, 10))) + at}",
            draw(st.lists(st.sampled_from(GROUPS), unique=True, max_size=2)),
            network,
            port_security=draw(st.sampled_from((True, True, True, False))),
        )
        draw(st.sampled_from((here, there))).append(one)
    return world(here, there, walls)


def world(here: list[Instance], there: list[Instance], walls: tuple[Group, ...]) -> World:
    networks = (NETWORK, BACK)
    first = document(here, walls, networks, elsewhere=there, infra=INFRA)
    second = replace(document(there, walls, networks, elsewhere=here, infra=INFRA), host="kvm-2")
    underlay = dict(zip(("kvm-1", "kvm-2"), INFRA, strict=True))
    return World((replace(first, underlay=underlay), replace(second, underlay=underlay, directory=first.directory)))


@st.composite
def packets(draw: st.DrawFn, found: World) -> Question:
    """One packet from and to anything there is a word for; most have an instance at one end."""
    ours = [nic.address for one in found.instances.values() for nic in one.nics] or ["10.20.0.200"]
    anybody = (*ours, *OUTSIDE, *INFRA, "10.20.0.1", "10.30.0.1", "10.20.0.201", "169.254.169.254")
    source = draw(st.sampled_from((*ours, *OUTSIDE)))
    target = draw(st.sampled_from(anybody if source in ours else ours))
    protocol = draw(st.sampled_from((6, 6, 17, 1, 132, 47, 33, 136)))
    port = draw(st.sampled_from(PORTS)) if protocol in WITH_PORTS.values() else None
    icmp = draw(st.sampled_from(((8, 0), (3, 4), (3, 1)))) if protocol == 1 else None
    return Question(source, target, (of_packet(protocol, port, icmp),))
