"""HostDocument -> the three files that one dnsmasq serves a whole host from (pure).

A guest's line is keyed by `tag:TAP`: the interface a request came in by is a tag by itself, so a MAC is worth nothing
on another tap. Never `set:` in that file: dnsmasq 2.90 frees it twice when it reads the file again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path

from cloudsync.agent.firewall import names
from cloudsync.agent.firewall.layout import METADATA
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Network

_HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
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
"""


@dataclass(frozen=True, slots=True)
class Files:
    """`guests` and `names` are read again on SIGHUP; another `configuration` needs another process."""

    configuration: str
    guests: str
    names: str

    @property
    def title(self) -> str:
        """The configuration's file name: a process shows by it which one it runs on."""
        return f"{sha256(self.configuration.encode()).hexdigest()[:16]}.conf"


def files(document: HostDocument, folder: Path, user: str) -> Files:
    """Raise HostError for a name, address or domain that cannot be one: each becomes a line of a file."""
    local = _LOCAL.format(taps=names.TAPS, user=user, names=folder / "names", guests=folder / "guests")
    networks = [document.networks[name] for name in sorted(document.networks)]
    lines = [line for network in networks for line in _network(network)]
    servers = sorted({f"server={_server(server, network)}" for network in networks for server in network.dns})
    return Files(
        configuration=local + "".join(f"{line}\n" for line in (*lines, *servers)),
        guests="".join(f"{line}\n" for line in sorted(_guests(document))),
        names="".join(f"{line}\n" for line in sorted(_names(document, networks))),
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


def _guests(document: HostDocument) -> Iterator[str]:
    for name, instance in document.instances.items():
        for nic in instance.nics:
            names.port(nic, f"instance.{name}")
            yield f"{nic.mac},tag:{nic.tap},{nic.address},{_hostname(name)}"


def _names(document: HostDocument, networks: list[Network]) -> Iterator[str]:
    """The long name first: the answer to a reverse question is the first of the line."""
    subnets = [(IPv4Network(network.subnet), network.domain) for network in networks]
    for name, entry in document.directory.items():
        for text in entry.addresses:
            if ":" in text:
                continue
            address = IPv4Address(names.address(text, f"instance.{name}"))
            domain = next((domain for subnet, domain in subnets if address in subnet), "")
            yield f"{address} {_hostname(name)}.{domain} {name}" if domain else f"{address} {_hostname(name)}"


def _hostname(name: str) -> str:
    if not _HOSTNAME.fullmatch(name):
        raise HostError(f"instance.{name!r} cannot be a host name", "letters, digits and hyphens, 63 at most")
    return name


def _domain(network: Network) -> str:
    if not all(_HOSTNAME.fullmatch(label) for label in network.domain.split(".")):
        raise HostError(f"network.{network.name}: {network.domain!r} is not a domain", "like demo.internal")
    return network.domain


def _server(text: str, network: Network) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise HostError(f"network.{network.name}: {text!r} is not the address of a DNS server") from None
