"""Host documents -> Scene: what was applied last. The agent asks about its own, the planner about all of them."""

from collections.abc import Iterable, Mapping

from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.resources import Direction, Group, Instance, Network
from cloudsync.reach.book import Book, plain
from cloudsync.reach.scene import Port, Scene, untracked
from cloudsync.reach.spot import LINK_LOCAL, Range, at, span


def of_document(document: HostDocument) -> Scene:
    """One host's network cards; whom its rules are about is what its `members` say."""
    rules = book(document)
    found = [port for one in document.instances.values() for port in ports(one, one.name, rules, document.host)]
    return Scene(
        tuple(found),
        document.networks,
        ranges(document.infra),
        untracked(document.groups.values()),
        hosts=_hosts(document),
        tunnelled=document.fabric == "vxlan",
    )


def of_documents(documents: Iterable[HostDocument], names: Mapping[str, str]) -> Scene:
    """All hosts' network cards, each under the rules of its own host. `names` are what instances, by uuid, are called;
    those that it does not have keep their own."""
    shelf = _Shelf()
    found: list[Port] = []
    networks: dict[str, Network] = {}
    infra: set[str] = set()
    groups: dict[str, Group] = {}
    hosts: dict[str, str] = {}
    tunnelled = False
    for document in documents:
        rules = shelf.book(document)
        networks |= document.networks
        groups |= document.groups
        infra.update(document.infra)
        hosts |= _hosts(document)
        tunnelled = tunnelled or document.fabric == "vxlan"
        for one in document.instances.values():
            found += ports(one, names.get(one.uuid, one.name), rules, document.host)
    return Scene(tuple(found), networks, ranges(infra), untracked(groups.values()), hosts=hosts, tunnelled=tunnelled)


def _hosts(document: HostDocument) -> dict[str, str]:
    """Names by address. Of a host that is alone only the address is on record."""
    if document.underlay:
        return {address: name for name, address in document.underlay.items()}
    return dict.fromkeys(document.infra, document.host) if len(document.infra) == 1 else {}


def book(document: HostDocument) -> Book:
    """A document's groups."""

    def members(remote: str) -> frozenset[str]:
        return frozenset(document.members.get(remote, ()))

    return Book(plain(document.groups), document.networks, members)


def ports(one: Instance, name: str, rules: Book, host: str) -> Iterable[Port]:
    """The network cards of an instance that is called `name` and is on `host`."""
    held = rules.hold(one.groups)
    for nic in one.nics:
        yield Port(
            instance=name,
            network=nic.network,
            spot=at(nic.address),
            groups=one.groups,
            egress=held[Direction.EGRESS],
            ingress=held[Direction.INGRESS],
            guarded=nic.port_security,
            floating=nic.floating,
            host=host,
        )


def ranges(infra: Iterable[str]) -> tuple[Range, ...]:
    """Hosts' addresses, and those that no router may pass on (RFC 3927); guests cannot reach the IPv6 ones anyway."""
    return tuple(span(text) for text in (LINK_LOCAL, *sorted(infra)) if ":" not in text)


Content = tuple[Mapping[str, Group], Mapping[str, Network], Mapping[str, tuple[str, ...]]]


@dataclass(slots=True)
class _Shelf:
    """Documents of one apply say the same, so one book serves all of them."""

    books: list[tuple[Content, Book]]

    def __init__(self) -> None:
        self.books = []

    def book(self, document: HostDocument) -> Book:
        content = (document.groups, document.networks, document.members)
        for known, ready in self.books:
            if known == content:
                return ready
        ready = book(document)
        self.books.append((content, ready))
        return ready
