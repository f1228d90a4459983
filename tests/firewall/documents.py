"""Short builders of host documents, and random ones for laws."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from random import Random

from cloudsync.model.document import Entry, HostDocument
from cloudsync.model.resources import WITH_PORTS, Direction, Group, Instance, Network, Nic, Rule

NETWORK = Network(name="default", subnet="10.20.0.0/16", gateway="10.20.0.1", domain="demo.internal")


def ingress(remote: str = "any", protocol: str = "any", ports: tuple[int, int] | None = None, **icmp: object) -> Rule:
    kind = icmp.get("icmp")
    assert kind is None or isinstance(kind, tuple)
    return Rule(direction=Direction.INGRESS, remote=remote, protocol=protocol, ports=ports, icmp=kind)


def egress(remote: str = "any", protocol: str = "any", ports: tuple[int, int] | None = None) -> Rule:
    return Rule(direction=Direction.EGRESS, remote=remote, protocol=protocol, ports=ports)


def group(name: str, *rules: Rule, log_denied: bool = False) -> Group:
    return Group(name=name, rules=tuple(sorted(set(rules), key=Rule.key)), log_denied=log_denied)


DEFAULT = group("default", egress(), ingress("group.default"))


def instance(
    name: str,
    address: str,
    groups: Sequence[str] = ("default",),
    network: str = "default",
    port_security: bool = True,
    more: Sequence[tuple[str, str, bool]] = (),
) -> Instance:
    """MAC and tap are digests, as the planner makes them. `more` NICs are (network, address, port security)."""
    cards = [(network, address, port_security), *more]
    nics = tuple(_nic(f"{name}/{index}", *card) for index, card in enumerate(cards))
    digest = sha256(f"{name}/0".encode()).hexdigest()
    uuid = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
    return Instance(
        name=name,
        uuid=uuid,
        incarnation=0,
        host="kvm-1",
        image="0" * 64,
        image_name="debian-12",
        flavor="small",
        vcpus=1,
        memory=512 << 20,
        disk=4 << 30,
        nics=nics,
        groups=tuple(groups),
    )


def _nic(what: str, network: str, address: str, port_security: bool) -> Nic:
    digest = sha256(what.encode()).hexdigest()
    mac = "52:54:00:" + ":".join(digest[at : at + 2] for at in (12, 14, 16))
    return Nic(network=network, address=address, mac=mac, tap=f"cs-{digest[:12]}", port_security=port_security)


def document(
    instances: Sequence[Instance],
    groups: Sequence[Group] = (DEFAULT,),
    networks: Sequence[Network] = (NETWORK,),
    elsewhere: Sequence[Instance] = (),
    infra: Sequence[str] = (),
    generation: int = 1,
) -> HostDocument:
    """Members and directory are worked out from `instances` (here) and `elsewhere` (on other hosts)."""
    everybody = [(one, "kvm-1") for one in instances] + [(one, "kvm-2") for one in elsewhere]
    members: dict[str, tuple[str, ...]] = {}
    for remote in {rule.remote for one in groups for rule in one.rules}:
        kind, _, name = remote.partition(".")
        found = [one for one, _ in everybody if name in (one.groups if kind == "group" else (one.name,))]
        if kind in ("group", "instance"):
            members[remote] = tuple(sorted(nic.address for one in found for nic in one.nics))
    return HostDocument(
        cloud="demo",
        host="kvm-1",
        generation=generation,
        groups={one.name: one for one in groups},
        networks={one.name: one for one in networks},
        instances={one.name: one for one in instances},
        members=members,
        directory={
            one.name: Entry(
                uuid=one.uuid, host=host, addresses=tuple(nic.address for nic in one.nics), floating=one.floating
            )
            for one, host in everybody
        },
        infra=tuple(infra),
    )


_REMOTES = ["any", "10.0.0.0/8", "192.0.2.7/32", "198.51.100.0/24", "network.default", "0.0.0.0/0"]


def _random_rule(random: Random, groups: list[str], instances: list[str]) -> Rule:
    remotes = _REMOTES + [f"group.{name}" for name in groups] + [f"instance.{name}" for name in instances]
    remote, direction = random.choice(remotes), random.choice(list(Direction))
    protocol = random.choice(["any", *WITH_PORTS, "icmp", "47", "58", "255"])
    ports: tuple[int, int] | None = None
    icmp: tuple[int, int | None] | None = None
    if protocol in WITH_PORTS and random.random() < 0.8:
        first = random.randint(1, 65535)
        ports = (first, random.choice([first, random.randint(first, 65535)]))
    if protocol == "icmp" and random.random() < 0.7:
        icmp = (random.randint(0, 255), random.choice([None, 0, 3, 255]))
    return Rule(direction=direction, protocol=protocol, ports=ports, icmp=icmp, remote=remote)


def random_document(seed: int) -> HostDocument:
    """A small world; two of them share many names, so that going from one to the other is a mixture of changes."""
    random = Random(seed)  # noqa: S311
    names = random.sample(["web-1", "web-2", "db", "a" * 60, "x", "y", "z"], random.randint(0, 6))
    group_names = ["default", *random.sample(["web", "meta", "drop", "a-b", "a_b", "g" * 60], random.randint(0, 5))]
    groups = [
        group(
            name,
            *(_random_rule(random, group_names, names) for _ in range(random.randint(0, 6))),
            log_denied=random.random() < 0.3,
        )
        for name in group_names
    ]
    instances = [
        instance(
            name,
            f"10.20.0.{random.randint(2, 6) + 10 * at}",
            random.sample(group_names, random.randint(0, len(group_names))),
            port_security=random.random() < 0.9,
            more=[
                ("default", f"10.20.1.{card + 10 * at}", random.random() < 0.7) for card in range(random.randint(0, 2))
            ],
        )
        for at, name in enumerate(names)
    ]
    networks = [
        NETWORK,
        *(
            Network(
                name=f"n{third}",
                subnet=f"10.30.{third}.0/24",
                gateway=f"10.30.{third}.1",
                domain="n.internal",
                nat=random.random() < 0.5,
            )
            for third in random.sample(range(4), random.randint(0, 3))
        ),
    ]
    for at, address in enumerate(random.sample(["203.0.113.1", "203.0.113.2", "203.0.113.3"], random.randint(0, 3))):
        if at < len(instances):
            nic = replace(instances[at].nics[0], floating=address)
            instances[at] = replace(instances[at], nics=(nic,))
    infra = random.sample(["198.51.100.11", "198.51.100.12", "203.0.113.0/24", "203.0.113.9"], random.randint(0, 4))
    return document(instances, groups, networks, infra=infra)


def sample() -> HostDocument:
    """One of everything that the compiler can write; the recordings under recordings/ are of this one."""
    web = group(
        "web",
        egress(),
        egress("192.0.2.0/24", "udp", (123, 123)),
        ingress("any", "tcp", (443, 443)),
        ingress("10.0.0.0/8", "tcp", (8000, 8010)),
        ingress("192.0.2.7/32", "tcp"),
        ingress("network.back", "sctp", (5, 5)),
        ingress("instance.db", "47"),
        ingress("group.default", "icmp"),
        ingress("any", "icmp", icmp=(8, None)),
        ingress("any", "icmp", icmp=(3, 4)),
        ingress("any", "dccp", (5004, 5005)),
        ingress("any", "udplite", (5004, 5004)),
        ingress("2001:db8::/32", "tcp", (80, 80)),
        log_denied=True,
    )
    back = Network(name="back", subnet="10.30.0.0/24", gateway="10.30.0.1", domain="back.internal", nat=False)
    found = document(
        [
            instance("web-1", "10.20.0.10", ("default", "web")),
            instance("db", "10.30.0.5", ("db",), network="back"),
            instance("probe", "10.20.0.12", ("default",), port_security=False, more=[("back", "10.30.0.7", True)]),
        ],
        [DEFAULT, web, group("db", ingress("group.web", "tcp", (5432, 5432)))],
        [NETWORK, back],
        elsewhere=[instance("web-2", "10.20.0.11", ("default", "web"))],
        infra=["198.51.100.11", "203.0.113.0/24"],
    )
    return replace(found, fabric="vxlan", underlay={"kvm-1": "198.51.100.10", "kvm-2": "198.51.100.11"})
