"""The document of one host in a big cloud, and of the same with one more member, rule or port.

By default 200 ports in 2 of 20 groups each, 30 rules and 2,000 members a group: the host is one of 50 like it, and its
directory names all 10,000 instances.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from cloudsync.model.document import Applied, Entry, HostDocument
from cloudsync.model.resources import Direction, Group, Instance, Keypair, Network, Nic, Rule

SUBNET = "10.64.0.0/10"
SERVICE = 1135
"""A port, TCP and UDP, that anybody may reach in every group: its rule stands in the middle."""
_GROUPS_HERE, _GROUPS_ELSEWHERE = 2, 4
_NETWORK = Network(name="default", subnet=SUBNET, gateway="10.64.0.1", domain="bench.internal", dns=("9.9.9.9",))


def crowd(ports: int = 200, groups: int = 20, rules: int = 30, members: int = 2000) -> HostDocument:
    names = [f"g{number:03}" for number in range(groups)]
    elsewhere = (members * groups - ports * _GROUPS_HERE) // _GROUPS_ELSEWHERE
    instances = {one.name: one for one in (_instance(number, names) for number in range(ports))}
    homes = {
        one.name: Entry(uuid=one.uuid, host="kvm-1", addresses=(one.nics[0].address,)) for one in instances.values()
    }
    found: dict[str, list[str]] = {name: [] for name in names}
    for one in instances.values():
        for name in one.groups:
            found[name].append(one.nics[0].address)
    for number in range(ports, ports + elsewhere):
        name, address = f"box-{number}", _address(number)
        homes[name] = Entry(uuid=_uuid(name), host=f"kvm-{2 + number % 49}", addresses=(address,))
        for at in range(_GROUPS_ELSEWHERE):
            found[names[(number * _GROUPS_ELSEWHERE + at) % groups]].append(address)
    return HostDocument(
        cloud="bench",
        host="kvm-1",
        generation=1,
        applied=Applied(commit="c0ffee", by="bench@here", at="2026-01-02T03:04:05Z"),
        keypairs={"alice": Keypair(name="alice", public_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 alice")},
        groups={name: _group(name, rules, names) for name in names},
        networks={"default": _NETWORK},
        instances=instances,
        members={f"group.{name}": tuple(sorted(addresses)) for name, addresses in found.items()},
        directory=homes,
    )


def empty(document: HostDocument) -> HostDocument:
    """The same host before: one port."""
    first = dict(list(document.instances.items())[:1])
    return replace(document, instances=first, members={}, directory={})


def one_member_more(document: HostDocument, number: int) -> HostDocument:
    """An instance on another host."""
    name, address = f"new-{number}", f"10.127.1.{number}"
    entry = Entry(uuid=_uuid(name), host="kvm-2", addresses=(address,))
    members = _joined(document.members, ("g000",), address)
    return replace(document, members=members, directory={**document.directory, name: entry})


def one_rule_more(document: HostDocument, number: int) -> HostDocument:
    group = document.groups["g000"]
    rule = Rule(direction=Direction.INGRESS, protocol="tcp", ports=(9000 + number, 9000 + number))
    grown = replace(group, rules=tuple(sorted((*group.rules, rule), key=Rule.key)))
    return replace(document, groups={**document.groups, "g000": grown})


def one_port_more(document: HostDocument, number: int) -> HostDocument:
    """An instance on this host: its chains, its place in every set of its groups, its name, lease and record."""
    one = _instance(20_000 + number, sorted(document.groups))
    address = one.nics[0].address
    return replace(
        document,
        instances={**document.instances, one.name: one},
        members=_joined(document.members, one.groups, address),
        directory={**document.directory, one.name: Entry(uuid=one.uuid, host="kvm-1", addresses=(address,))},
    )


def _joined(
    members: Mapping[str, tuple[str, ...]], groups: tuple[str, ...], address: str
) -> dict[str, tuple[str, ...]]:
    grown = {f"group.{name}": tuple(sorted((*members[f"group.{name}"], address))) for name in groups}
    return {**members, **grown}


def _group(name: str, rules: int, names: list[str]) -> Group:
    """A range of ports for anybody, its own members, another group and a subnet by turns; one for anything outward."""
    at = names.index(name)
    remotes = ("any", f"group.{name}", f"group.{names[(at + 1) % len(names)]}", "10.0.0.0/8")
    found = [Rule(direction=Direction.EGRESS)]
    for protocol in ("tcp", "udp"):
        found.append(Rule(direction=Direction.INGRESS, protocol=protocol, ports=(SERVICE, SERVICE)))
    for number in range(rules - len(found)):
        first = 1000 + number * 10
        ports, remote = (first, first + number % 4), remotes[number % len(remotes)]
        found.append(Rule(direction=Direction.INGRESS, protocol="tcp", ports=ports, remote=remote))
    return Group(name=name, rules=tuple(sorted(found, key=Rule.key)))


def _instance(number: int, names: list[str]) -> Instance:
    name = f"box-{number}"
    digest = sha256(name.encode()).hexdigest()
    mac = "52:54:00:" + ":".join(digest[at : at + 2] for at in (0, 2, 4))
    return Instance(
        name=name,
        uuid=_uuid(name),
        incarnation=0,
        host="kvm-1",
        image="0" * 64,
        image_name="debian-12",
        flavor="small",
        vcpus=1,
        memory=512 << 20,
        disk=4 << 30,
        nics=(Nic(network="default", address=_address(number), mac=mac, tap=f"cs-{digest[:12]}"),),
        groups=tuple(sorted({names[(number + at) % len(names)] for at in range(_GROUPS_HERE)})),
        keypairs=("alice",),
    )


def _address(number: int) -> str:
    return f"10.{64 + (number + 10 >> 16)}.{(number + 10 >> 8) & 255}.{(number + 10) & 255}"


def _uuid(name: str) -> str:
    digest = sha256(name.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
