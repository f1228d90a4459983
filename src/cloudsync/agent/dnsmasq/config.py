"""HostDocument -> the four files that one dnsmasq serves a whole host from (pure).

A guest's line is keyed by `tag:TAP`: the interface a request came in by is a tag by itself, so a MAC is worth nothing
on another tap. Never `set:` in that file: dnsmasq 2.90 frees it twice when it reads the file again.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from ipaddress import IPv4Network, ip_address
from itertools import chain
from pathlib import Path
from socket import inet_aton

from cloudsync.agent.firewall import names
from cloudsync.agent.firewall.layout import METADATA
from cloudsync.agent.memo import Memo
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import Entry, HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Instance, Network

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_LOCAL = """\
bind-dynamic
interface={taps}
except-interface=lo
no-hosts
no-resolv
domain-needed
cache-size=1000
dhcp-authoritative
dhcp-ignore=tag:!known
dhcp-no-override
dhcp-lease-max=10000
leasefile-ro
no-ping
quiet-dhcp
user={user}
log-facility=-
pid-file=
addn-hosts={names}
dhcp-hostsfile={guests}
dhcp-optsfile={options}
"""


@dataclass(frozen=True, slots=True)
class Files:
    """Another `configuration` needs another process."""

    configuration: str
    guests: str
    options: str
    names: str

    @property
    def read_again(self) -> dict[str, str]:
        """What dnsmasq reads again on SIGHUP, by file name."""
        return {"guests": self.guests, "options": self.options, "names": self.names}

    @property
    def title(self) -> str:
        """The end of the configuration's file name: a process shows by it which one it runs on."""
        return f"{sha256(self.configuration.encode()).hexdigest()[:16]}.conf"


def files(document: HostDocument, folder: Path, user: str, memo: Memo | None = None) -> Files:
    """Raise HostError for a name, address or domain that cannot be one: each becomes a line of a file.

    `memo` is of the documents before.
    """
    kept = memo or Memo()
    paths = {name: folder / name for name in ("names", "guests", "options")}
    local = _LOCAL.format(taps=names.TAPS, user=user, **paths)
    networks = [document.networks[name] for name in sorted(document.networks)]
    lines = [line for network in networks for line in _network(network)]
    servers = sorted({f"server={_server(server, network)}" for network in networks for server in network.dns})
    return Files(
        configuration=local + "".join(f"{line}\n" for line in (*lines, *servers)),
        guests="".join(sorted(kept.each((), _guest, document.instances).values())),
        options="".join(
            sorted(kept.each((document.networks,), _option, document.instances, document.networks).values())
        ),
        names=kept.of((document.directory, document.networks), _names, document, kept),
    )


def _network(network: Network) -> Iterator[str]:
    """The gateway is on-link only by option 121; clients that do not know that option read option 3.

    Its route comes first: cloud-init adds them in order, and one through a gateway it cannot reach yet fails.
    """
    owner = f"network.{network.name}"
    subnet = names.subnet(network.subnet, owner)
    gateway, domain = names.address(network.gateway, owner), _domain(network)
    tag = f"n-{names.identifier(network.name)}"
    yield f"dhcp-range=set:{tag},{subnet.network_address},static,{subnet.netmask},infinite"
    yield f"domain={domain},{subnet}"
    yield f"local=/{domain}/"
    yield f"rev-server={subnet}"
    yield f"dhcp-option=tag:{tag},1,255.255.255.255"
    yield f"dhcp-option=tag:{tag},3,{gateway}"
    yield f"dhcp-option=tag:{tag},6,{gateway}"
    yield f"dhcp-option=tag:{tag},121,{gateway}/32,0.0.0.0,{METADATA}/32,{gateway},0.0.0.0/0,{gateway}"


def _guest(name: str, instance: Instance) -> str:
    lines = []
    for nic in instance.nics:
        names.port(nic, f"instance.{name}")
        lines.append(f"{nic.mac},tag:{nic.tap},{nic.address},{_hostname(name)}\n")
    return "".join(lines)


def _option(name: str, instance: Instance, networks: Mapping[str, Network]) -> str:
    """What fits into one packet, where less does than usual. And what NICs after the first are told besides: no default
    route, which a guest can have one of, but the way to their own network, unless an earlier NIC has it. Metadata by
    any of them: some clients ask by the NIC that is up first.

    A tap is a tag of the request, and options by such a tag go before those by the tag of a range.
    """
    lines = [f"tag:{nic.tap},26,{nic.mtu}\n" for nic in instance.nics if nic.mtu]
    reached = {nic.network for nic in instance.nics[:1]}
    for nic in instance.nics[1:]:
        if nic.network not in networks:
            raise HostError(f"instance.{name}: the document does not hold network.{nic.network}")
        gateway, subnet = networks[nic.network].gateway, networks[nic.network].subnet
        own = f",{subnet},{gateway}" if nic.network not in reached else ""
        lines.append(f"tag:{nic.tap},3\n")
        lines.append(f"tag:{nic.tap},121,{gateway}/32,0.0.0.0,{METADATA}/32,{gateway}{own}\n")
        reached.add(nic.network)
    return "".join(lines)


def _names(document: HostDocument, kept: Memo) -> str:
    networks = [document.networks[name] for name in sorted(document.networks)]
    subnets = [(*_numbers(IPv4Network(network.subnet)), network) for network in networks]
    entries = kept.each((document.networks,), _name, document.directory, subnets)
    return "".join(sorted(chain.from_iterable(entries.values())))


def _numbers(subnet: IPv4Network) -> tuple[int, int]:
    return int(subnet.netmask), int(subnet.network_address)


def _name(name: str, entry: Entry, subnets: Sequence[tuple[int, int, Network]]) -> list[str]:
    """The long name first: the answer to a reverse question is the first of the line. `subnets`: mask, subnet, network.

    Numbers, since a cloud has tens of thousands of names and an IPv4Network takes its time.
    """
    lines, owner = [], f"instance.{_hostname(name)}"
    taken: tuple[str, ...] = ()
    for text in entry.addresses:
        if ":" in text:
            continue
        network = _home(names.address(text, owner), subnets)
        called = _called(name, network)
        here = [one for one in called if one not in taken] if taken else list(called)
        if len(entry.addresses) > 1 and network and _LABEL.fullmatch(network.name):
            here.append(f"{name}.{network.name.lower()}.{network.domain}")
        taken += called
        if here:
            lines.append(f"{text} {' '.join(here)}\n")
    return lines


def _home(address: str, subnets: Sequence[tuple[int, int, Network]]) -> Network | None:
    number = int.from_bytes(inet_aton(address), "big")
    for mask, subnet, network in subnets:
        if number & mask == subnet:
            return network
    return None


def _called(name: str, network: Network | None) -> tuple[str, ...]:
    """What an instance's first address goes by, and another one in so far as none before it does."""
    return (f"{name}.{network.domain}", name) if network else (name,)


def _hostname(name: str) -> str:
    if not _LABEL.fullmatch(name):
        raise HostError(f"instance.{name!r} cannot be a host name", "letters, digits and hyphens, 63 at most")
    return name


def _domain(network: Network) -> str:
    if not all(_LABEL.fullmatch(label) for label in network.domain.split(".")):
        raise HostError(f"network.{network.name}: {network.domain!r} is not a domain", "like demo.internal")
    return network.domain


def _server(text: str, network: Network) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise HostError(f"network.{network.name}: {text!r} is not the address of a DNS server") from None
