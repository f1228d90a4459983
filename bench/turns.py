"""Rulesets side by side, each in a lab of its own: what a connection, a megabyte or a packet costs a processor.

packets.py calls it. turns.c makes the traffic: the labs have turns of a few milliseconds, so a ratio is the median of
those of some hundred rounds, and what a lab differs from its double, with the same rules, says how far to trust it.
"""

import json
import socket
import statistics
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.crowd import SERVICE
from bench.layout import reference
from cloudsync.agent.firewall import Firewall
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.links import Links
from cloudsync.model.document import HostDocument
from tests.lab.standins import METADATA_PORT, PATIENCE, Guest, Lab, standins

FROM_PORT = 1999
NOTHING, CT, AGAIN, REFERENCE = "nothing", "one conntrack rule", " again", "reference layout of "
_BASE = """table inet base {
 chain forward {
  type filter hook forward priority 0; policy accept;
  ct state established,related accept
 }
}
"""
_NO_CARD = "add table netdev bench\ndelete table netdev bench\n"
_CARD = """add table netdev bench
add counter netdev bench arrived
add chain netdev bench card {{ type filter hook ingress device eth0 priority 0; }}
add rule netdev bench card udp dport {port} counter name arrived drop
"""


@dataclass(frozen=True)
class Site:
    """Two guests of every document, and the rules that are between them."""

    lab: Lab
    firewall: Firewall

    @property
    def ends(self) -> tuple[Guest, Guest]:
        first, second = list(self.lab.guests.values())[:2]
        return first, second

    @property
    def router(self) -> str:
        """The MAC of the first guest's tap."""
        shown = self.lab.host.run("ip", "-j", "link", "show", "dev", self.ends[0].nic.tap).stdout
        return str(json.loads(shown)[0]["address"])

    def apply(self, document: HostDocument) -> None:
        self.lab.host.enter(lambda: self.firewall.apply(document))

    def rules(self, which: str, documents: Mapping[str, HostDocument]) -> None:
        """NOTHING, CT, one of `documents`, or the REFERENCE of one. The first rules switch forwarding on."""
        name = which.removesuffix(AGAIN)
        document = documents.get(name.removeprefix(REFERENCE), next(iter(documents.values())))
        self.apply(document)
        self.lab.host.enter(lambda: Links(self.firewall.loaded).apply(document))
        if name in documents:
            return
        self.lab.remove()
        if name == CT:
            self.lab.nft(_BASE)
        if name.startswith(REFERENCE):
            self.lab.nft(reference(compile_document(document, METADATA_PORT)))

    def establish(self) -> None:
        """A packet each way: what comes from FROM_PORT is a known flow from then on. After that the second guest's card
        counts UDP and drops it."""
        first, second = self.ends
        second.namespace.run("nft", "-f", "-", stdin=_NO_CARD)
        with second.listen(SERVICE, socket.SOCK_DGRAM) as server, first.listen(FROM_PORT, socket.SOCK_DGRAM) as client:
            server.settimeout(PATIENCE)
            client.settimeout(PATIENCE)
            client.connect((second.address, SERVICE))
            client.send(b"a question")
            server.sendto(b"an answer", server.recvfrom(100)[1])
            client.recv(100)
        second.namespace.run("nft", "-f", "-", stdin=_CARD.format(port=SERVICE))

    def arrived(self) -> int:
        """How many packets have come to that card."""
        listed = json.loads(self.ends[1].namespace.run("nft", "-j", "list", "counters").stdout)["nftables"]
        return sum(int(one["counter"]["packets"]) for one in listed if "counter" in one)


@contextmanager
def sites(which: tuple[str, ...], documents: Mapping[str, HostDocument]) -> Iterator[dict[str, Site]]:
    first = next(iter(documents.values()))
    two = replace(first, instances=dict(list(first.instances.items())[:2]))
    with ExitStack() as stack:
        found = {name: Site(stack.enter_context(standins(two)), Firewall(METADATA_PORT)) for name in which}
        for name, site in found.items():
            site.rules(name, documents)
        yield found


def compiled(folder: Path, name: str) -> str:
    """The path of a C program of this folder."""
    program = folder / name
    subprocess.run(["cc", "-O2", "-o", str(program), str(Path(__file__).with_name(f"{name}.c"))], check=True)
    return str(program)


def taken(program: str, kind: str, sites: Mapping[str, Site], seconds: float, processor: int) -> dict[str, list[float]]:
    """By site, the microseconds of each round; `kind` is connect, bulk, packet or ask."""
    first, second = next(iter(sites.values())).ends
    ends = [second.address, str(SERVICE)]
    places = []
    for site in sites.values():
        if kind == "packet":
            site.establish()
        client, server = (end.namespace.name for end in site.ends)
        places += [client, site.router if kind == "packet" else server]
    if kind == "packet":
        ends = [first.address, str(FROM_PORT), *ends]
    command = ["taskset", "-c", str(processor), program, kind, str(seconds), *ends, *places]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    rounds = [[float(one) for one in line.split()] for line in told.splitlines()]
    return {name: list(column) for name, column in zip(sites, zip(*rounds, strict=True), strict=True)}


def ratio(rounds: Mapping[str, list[float]], ours: str, theirs: str) -> float:
    """How many of `ours` for one of `theirs`."""
    return statistics.median(there / here for here, there in zip(rounds[ours], rounds[theirs], strict=True))
