"""A host document into what is wrong with it: a list of messages, empty when the parts may trust it. Pure.

The controller checks specs; this checks the controller. No message quotes a key or user-data.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from ipaddress import IPv4Network
from itertools import chain, filterfalse
from operator import attrgetter
from typing import Any

from cloudsync.agent import words
from cloudsync.agent.validate_rule import rule_problems
from cloudsync.agent.words import shown
from cloudsync.model.delta import fresh
from cloudsync.model.document import HostDocument
from cloudsync.model.resources import Instance, Network, Nic

MAX_USER_DATA = 49_149
"""65,535 bytes of base64, Nova's limit."""
_ADDRESSES, _FLOATING = attrgetter("addresses"), attrgetter("floating")
_PATTERNS = {"instance": (words.LABEL, "a DNS label"), "keypair": (words.KEYPAIR, "a key pair's name")}


_NOTHING = HostDocument(cloud="", host="")


def problems(document: HostDocument, known: HostDocument | None = None) -> list[str]:
    """All of them, in the order of the document.

    `known` has none: of what is long, the very objects that are there too are not looked at again.
    """
    before = known or _NOTHING
    found = list(_top(document))
    found += _fabric(document)
    found += _names(document)
    found += _keypairs(document)
    found += _networks(document.networks)
    wrong = _no_addresses(document, before)
    found += _groups(document, before, wrong)
    for name, instance in fresh(document.instances, _judged(document, before)).items():
        found += (f"instance {shown(name)}: {text}" for text in _instance(instance, document))
    found += _unique(document.instances.values())
    found += _directory(document, before, wrong)
    found += _given_up(document)
    found += _user_data(document, before)
    return found


def _top(document: HostDocument) -> Iterator[str]:
    for word, value in (("cloud", document.cloud), ("host", document.host)):
        if not words.NAME.fullmatch(value):
            yield f"{word} {shown(value)} is not a name"
    if document.generation < 1:
        yield f"generation {document.generation} is not positive"
    if document.uplink is not None and not words.INTERFACE.fullmatch(document.uplink):
        yield f"uplink {shown(document.uplink)} is not an interface name"
    for text in document.infra:
        if not words.is_address(text) and not words.network(text):
            yield f"infra {shown(text)} is neither an IPv4 address nor a CIDR without host bits"
    applied = document.applied
    if not all(words.plain(text) for text in (applied.commit, applied.by, applied.at)):
        yield "applied: control characters in it"


def _fabric(document: HostDocument) -> Iterator[str]:
    if document.fabric not in ("direct", "vxlan"):
        yield f"fabric {shown(document.fabric)} is neither direct nor vxlan"
    for name, text in document.underlay.items():
        if not words.NAME.fullmatch(name) or not words.is_address(text):
            yield f"underlay {shown(name)}: {shown(text)} is not a host's IPv4 address"


def _names(document: HostDocument) -> Iterator[str]:
    """Keys are the names of what they stand for."""
    maps: Mapping[str, Mapping[str, Any]] = {
        "keypair": document.keypairs,
        "group": document.groups,
        "network": document.networks,
        "instance": document.instances,
    }
    for kind, things in maps.items():
        pattern, word = _PATTERNS.get(kind, (words.NAME, "a name"))
        for name, thing in things.items():
            if not pattern.fullmatch(name):
                yield f"{kind} {shown(name)} is not {word}"
            if thing.name != name:
                yield f"{kind} {shown(name)} calls itself {shown(thing.name)}"


def _keypairs(document: HostDocument) -> Iterator[str]:
    for name, keypair in document.keypairs.items():
        if not words.plain(keypair.public_key) or len(keypair.public_key.split(" ")) < 2:
            yield f"keypair {shown(name)}: its public key is not one line of TYPE BASE64"


def _networks(networks: Mapping[str, Network]) -> Iterator[str]:
    for name, network in networks.items():
        subnet = words.network(network.subnet)
        if subnet is None:
            yield f"network {shown(name)}: subnet {shown(network.subnet)} is not an IPv4 CIDR without host bits"
            continue
        if subnet.is_loopback or subnet.is_link_local or subnet.is_multicast or subnet.prefixlen == 0:
            yield f"network {shown(name)}: subnet {subnet} cannot be used by guests"
        if not _inside(network.gateway, subnet):
            yield f"network {shown(name)}: gateway {shown(network.gateway)} is not an address of {subnet}"
        if not words.DOMAIN.fullmatch(network.domain):
            yield f"network {shown(name)}: domain {shown(network.domain)} is not a DNS name"
        wrong = (dns for dns in network.dns if not words.resolver(dns))
        yield from (f"network {shown(name)}: dns {shown(dns)} is not an IP address" for dns in wrong)


def _inside(text: str, subnet: IPv4Network) -> bool:
    """An address of the subnet that a machine may have."""
    found = words.address(text)
    if found is None or found not in subnet:
        return False
    return subnet.prefixlen >= 31 or found not in (subnet.network_address, subnet.broadcast_address)


def _no_addresses(document: HostDocument, before: HostDocument) -> frozenset[str]:
    """What members and the directory call addresses."""
    texts: list[str] = []
    for name, members in fresh(document.members, before.members).items():
        known = before.members.get(name)
        texts += set(members).difference(known) if known else members
    entries = fresh(document.directory, before.directory).values()
    for each in (_ADDRESSES, _FLOATING):
        texts += chain.from_iterable(map(each, entries))
    return frozenset(words.no_addresses(texts))


def _groups(document: HostDocument, before: HostDocument, wrong: frozenset[str]) -> Iterator[str]:
    """A rule is judged by the networks that there are."""
    same = document.networks is before.networks
    for name, group in fresh(document.groups, before.groups if same else {}).items():
        for rule in group.rules:
            yield from (f"group {shown(name)}: {text}" for text in rule_problems(rule, document.networks))
    for name, members in fresh(document.members, before.members).items():
        if not words.NAME.fullmatch(name.removeprefix("group.").removeprefix("instance.")):
            yield f"members {shown(name)} is not group.NAME or instance.NAME"
        new = sorted(wrong.intersection(members)) if wrong else ()
        yield from (f"members {shown(name)}: {shown(text)} is not an IPv4 address" for text in new)


def _judged(document: HostDocument, before: HostDocument) -> Mapping[str, Instance]:
    """Instances whose judgement stands: all that they refer to is still there."""
    pairs = ((getattr(before, name), getattr(document, name)) for name in ("groups", "keypairs", "user_data"))
    same = document.networks is before.networks and all(old.keys() <= new.keys() for old, new in pairs)
    return before.instances if same else {}


def _instance(instance: Instance, document: HostDocument) -> Iterator[str]:
    if not words.UUID.fullmatch(instance.uuid):
        yield f"uuid {shown(instance.uuid)} is not a UUID in lower case"
    if instance.host != document.host:
        yield f"it is for host {shown(instance.host)}, and this is {shown(document.host)}"
    if not words.SHA256.fullmatch(instance.image):
        yield "its image is not a SHA-256"
    for disk in instance.disks:
        if not words.UUID.fullmatch(disk.id) or not words.LABEL.fullmatch(disk.name) or disk.size < 0:
            yield f"disk {shown(disk.name)} with the id {shown(disk.id)} is not a label and a UUID in lower case"
    for nic in instance.nics:
        yield from _nic(nic, document.networks)
        yield from _floating(nic, document)
    for kind, names, known in (
        ("group", instance.groups, document.groups),
        ("keypair", instance.keypairs, document.keypairs),
    ):
        yield from (f"{kind} {shown(name)} is not in the document" for name in names if name not in known)
    data = instance.user_data
    if data is not None and data.sha256 not in document.user_data:
        yield "its user-data is not in the document"
    if data is not None and not 0 <= data.size <= MAX_USER_DATA:
        yield f"its user-data has {data.size} bytes, and {MAX_USER_DATA} are allowed"


def _nic(nic: Nic, networks: Mapping[str, Network]) -> Iterator[str]:
    if not words.TAP.fullmatch(nic.tap):
        yield f"tap {shown(nic.tap)} is not cs- and 12 hex digits"
    if not words.MAC.fullmatch(nic.mac) or int(nic.mac[:2], 16) & 1:
        yield f"MAC {shown(nic.mac)} is not one of a single machine in lower case"
    if nic.mtu is not None and not 576 <= nic.mtu <= 65535:
        yield f"MTU {nic.mtu} is not one that IPv4 can do with"
    network = networks.get(nic.network)
    if network is None:
        yield f"network {shown(nic.network)} is not in the document"
        return
    subnet = words.network(network.subnet)
    if subnet is not None and (not _inside(nic.address, subnet) or nic.address == network.gateway):
        yield f"address {shown(nic.address)} is not one that a machine may have in {subnet}"


def _floating(nic: Nic, document: HostDocument) -> Iterator[str]:
    """What it is must be nobody's: the host would translate that one's packets."""
    if nic.floating is None:
        return
    found = words.address(nic.floating)
    if found is None or found.is_loopback or found.is_link_local or found.is_multicast or found.is_unspecified:
        yield f"floating address {shown(nic.floating)} is not an IPv4 address of one machine"
        return
    ranges = [words.network(network.subnet) for network in document.networks.values()]
    if any(range_ is not None and found in range_ for range_ in ranges):
        yield f"floating address {found} belongs to a network of the document"
    if nic.floating in document.infra:
        yield f"floating address {found} is a host's"


def _unique(instances: Iterable[Instance]) -> Iterator[str]:
    """Two owners of one of these would take each other's packets."""
    listed = list(instances)
    nics = [nic for instance in listed for nic in instance.nics]
    for word, values in (
        ("uuid", [instance.uuid for instance in listed]),
        ("tap", [nic.tap for nic in nics]),
        ("MAC", [nic.mac for nic in nics]),
        ("address", [nic.address for nic in nics]),
        ("floating address", [nic.floating for nic in nics if nic.floating]),
        ("data disk", [disk.id for instance in listed for disk in instance.disks]),
    ):
        yield from (f"{word} {shown(value)} is used {n} times" for value, n in Counter(values).items() if n > 1)


def _directory(document: HostDocument, before: HostDocument, wrong: frozenset[str]) -> Iterator[str]:
    new = fresh(document.directory, before.directory)
    names = set(filterfalse(words.LABEL.fullmatch, new))
    uuids = set(filterfalse(words.UUID.fullmatch, [entry.uuid for entry in new.values()]))
    for name, entry in new.items() if names or uuids or wrong else ():
        if name in names:
            yield f"directory {shown(name)} is not a DNS label"
        if entry.uuid in uuids:
            yield f"directory {shown(name)}: uuid {shown(entry.uuid)} is not a UUID in lower case"
        if wrong:
            listed = (text for text in (*entry.addresses, *entry.floating) if text in wrong)
            yield from (f"directory {shown(name)}: {shown(text)} is not an IPv4 address" for text in listed)


def _given_up(document: HostDocument) -> Iterator[str]:
    for uuid, one in document.given_up.items():
        if not words.UUID.fullmatch(uuid):
            yield f"given up {shown(uuid)} is not a UUID in lower case"
        if not words.LABEL.fullmatch(one.name) or not words.NAME.fullmatch(one.host):
            yield f"given up {shown(uuid)}: {shown(one.name)} on {shown(one.host)} is not an instance on a host"


def _user_data(document: HostDocument, before: HostDocument) -> Iterator[str]:
    """Never quotes what it is about. An instance that is new may say another size of data that is known."""
    digests = set(fresh(document.user_data, before.user_data))
    digests |= {one.user_data.sha256 for one in fresh(document.instances, before.instances).values() if one.user_data}
    sizes = {each.user_data.sha256: each.user_data.size for each in document.instances.values() if each.user_data}
    for digest in sorted(digests & document.user_data.keys()):
        text = document.user_data[digest]
        try:
            data = b64decode(text, validate=True)
        except (NotBase64, ValueError):
            yield f"user-data {shown(digest[:12])} is not base64"
            continue
        if sha256(data).hexdigest() != digest:
            yield f"user-data {shown(digest[:12])} does not have that SHA-256"
        if len(data) > MAX_USER_DATA or sizes.get(digest, len(data)) != len(data):
            yield f"user-data {shown(digest[:12])} has {len(data)} bytes, not what its instance says or over the limit"
