"""Guests' packets under the rules: what a flood loses while they change, and what a connection and a byte cost.

`python -m bench.packets [--json]` inside tests/lab/private.py. Guests are network namespaces; the load is traffic.c's.
Rulesets that are compared take turns, round by round, and a ratio is the median of the rounds' ratios.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from bench.crowd import SERVICE, crowd, one_member_more, one_port_more, one_rule_more
from cloudsync.agent.firewall import Firewall, nft
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.delta import delta
from cloudsync.agent.links import Links
from cloudsync.model.delta import difference, patched
from cloudsync.model.document import HostDocument
from tests.lab.standins import METADATA_PORT, Guest, Lab, Peer, standins

T = TypeVar("T")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = 1.0
LOAD, *_, REST = sorted(os.sched_getaffinity(0)) * 2
"""The processor that makes the traffic, and, where there is another, the one that changes the rules."""
RATE, NEW_RATE, FLOOD_SECONDS = 200_000, 100_000, 6.0
FROM_PORT = 1999
BASE = """table inet base {
 chain forward {
  type filter hook forward priority 0; policy accept;
  ct state established,related accept
 }
}
"""
COUNTER = """add table netdev bench
add counter netdev bench arrived
add chain netdev bench card {{ type filter hook ingress device eth0 priority 0; }}
add rule netdev bench card udp dport {port} counter name arrived drop
"""
SIZES = {"10 ports": (10, 5, 30, 100), "200 ports": (200, 20, 30, 2000), "1,000 ports": (1000, 100, 30, 100)}
"""Ports, groups, rules a group, members a group; each port is in two groups."""


@dataclass(frozen=True)
class Site:
    """Two guests of every document, what makes traffic, and the parts that are on its way."""

    lab: Lab
    program: str
    documents: dict[str, HostDocument]
    firewall: Firewall
    links: Links

    @property
    def ends(self) -> tuple[Guest, Guest]:
        first, second = list(self.lab.guests.values())[:2]
        return first, second

    def rules(self, which: str) -> None:
        """`ct` (one conntrack rule), one of the documents, or nothing."""
        self.lab.host.run("nft", "delete", "table", "inet", "base", check=False)
        if which in self.documents:
            self.apply(self.documents[which])
            self.inside(lambda: self.links.apply(self.documents[which]))
            return
        self.lab.remove()
        if which == "ct":
            self.lab.nft(BASE)

    def apply(self, document: HostDocument) -> None:
        self.inside(lambda: self.firewall.apply(document))

    def inside(self, act: Callable[[], T]) -> T:
        """In the host's network namespace."""
        return self.lab.host.enter(act)

    def measure(self, kind: str, seconds: float = SECONDS) -> float:
        """Connections, or bytes, from the first guest to the second, for each second that both ends had a processor.

        Both share one: what else the machine has to do does not count, nor how soon one wakes the other.
        """
        first, second = self.ends
        with self._serving(second) as server:
            before = _processor(server)
            client = self._started(first, kind, second.address, str(SERVICE), str(seconds))
            said, _ = client.communicate()
            if client.returncode:
                sys.exit(f"{client.args!r} ended with {client.returncode}")
            count, _, spent = map(float, said.split())
            return count / (spent + _processor(server) - before)

    def flood(self, fresh: bool) -> "subprocess.Popen[str]":
        """UDP, with a processor to itself."""
        first, second = self.ends
        rate = str(NEW_RATE if fresh else RATE)
        ends = (first.address, str(FROM_PORT), second.address, str(SERVICE))
        router = json.loads(self.lab.host.run("ip", "-j", "link", "show", "dev", first.nic.tap).stdout)[0]["address"]
        return self._started(first, "flood", *ends, str(FLOOD_SECONDS), rate, str(int(fresh)), "eth0", router)

    def establish(self) -> None:
        """A packet each way: the flood's is a known flow from here on."""
        first, second = self.ends
        with second.listen(SERVICE, socket.SOCK_DGRAM) as server, first.listen(FROM_PORT, socket.SOCK_DGRAM) as client:
            client.connect((second.address, SERVICE))
            client.send(b"a question")
            server.sendto(b"an answer", server.recvfrom(100)[1])
            client.recv(100)

    @contextmanager
    def _serving(self, end: Peer) -> Iterator["subprocess.Popen[str]"]:
        server = self._started(end, "serve", str(SERVICE))
        try:
            assert server.stdout
            assert server.stdout.readline() == "ready\n"
            yield server
        finally:
            server.kill()
            server.wait()

    def _started(self, end: Peer, *words: str) -> "subprocess.Popen[str]":
        command = ["taskset", "-c", str(LOAD), "ip", "netns", "exec", end.namespace.name, self.program, *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _processor(process: "subprocess.Popen[str]") -> float:
    """Seconds that it has had one."""
    return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]) / 1e9


def compared(site: Site, kind: str, which: tuple[str, ...]) -> list[dict[str, float]]:
    """Each round's rates. Every other round goes backwards, so that nobody is always first."""
    found = []
    for number in range(ROUNDS):
        rates = {}
        for one in which if number % 2 else reversed(which):
            site.rules(one)
            rates[one] = site.measure(kind)
        found.append(rates)
    return found


def throughput_row(rounds: list[dict[str, float]]) -> dict[str, object]:
    """As much as with no rules at all: within what that differs from itself, measured twice a round."""
    ours, nothing = (statistics.median(one[which] for one in rounds) * 8e-9 for which in ("200 ports", "nothing"))
    ratio = statistics.median(one["200 ports"] / one["nothing"] for one in rounds)
    least = min(0.95, *(one["nothing again"] / one["nothing"] for one in rounds))
    return {
        "name": "TCP throughput with 200 ports, for a second of processor time",
        "value": round(ours, 1),
        "unit": "Gbit",
        "peer": f"empty ruleset {nothing:.1f}",
        "ratio": round(ratio, 3),
        "bar": f">= {least:.2f} x, the least of an empty one against itself",
        "holds": ratio >= least,
    }


def connections_row(ours: str, theirs: str, rounds: list[dict[str, float]], bar: float) -> dict[str, object]:
    value, peer = (statistics.median(one[which] for one in rounds) for which in (ours, theirs))
    ratio = statistics.median(one[ours] / one[theirs] for one in rounds)
    against = "one conntrack rule" if theirs == "ct" else theirs
    return {
        "name": f"connections with {ours}, for a second of processor time",
        "value": round(value),
        "unit": "",
        "peer": f"{against} {peer:,.0f}",
        "ratio": round(ratio, 3),
        "bar": f">= {bar} x {against}",
        "holds": ratio >= bar,
    }


def flood_row(site: Site, fresh: bool) -> dict[str, object]:
    """Members, rules and ports come and go, and all rules are written anew, all the while."""
    site.rules("200 ports")
    if not fresh:
        site.establish()
    with counted(site.ends[1]) as arrived:
        before = arrived(), site.lab.dropped(), backlog()
        process = site.flood(fresh)
        changes = churn(site, lambda: process.poll() is None)
        said, _ = process.communicate()
        sent, (took, spent) = int(said.split()[0]), map(float, said.split()[1:])
        rate = sent / took
        lost, dropped, queued = sent - arrived() + before[0], site.lab.dropped() - before[1], backlog() - before[2]
    kind = "each from another port" if fresh else "of one established flow"
    wanted = NEW_RATE if fresh else RATE
    return {
        "name": f"packets lost of {sent:,} {kind}, over {changes} changes of the rules",
        "value": lost,
        "unit": "packets",
        "peer": f"{rate:,.0f} a second were sent, {sent / spent:,.0f} for a second that the sender had a processor; "
        f"rules dropped {dropped}, full queues before them {queued}",
        "ratio": None,
        "bar": f"0 at {wanted:,} a second",
        "holds": lost == 0 and rate >= 0.99 * wanted,
    }


@contextmanager
def counted(guest: Guest) -> Iterator[Callable[[], int]]:
    """How many of the flood's packets have come to its network card, which is where they end."""
    guest.namespace.run("nft", "-f", "-", stdin=COUNTER.format(port=SERVICE))

    def arrived() -> int:
        listed = json.loads(guest.namespace.run("nft", "-j", "list", "counters").stdout)["nftables"]
        return sum(int(one["counter"]["packets"]) for one in listed if "counter" in one)

    try:
        yield arrived
    finally:
        guest.namespace.run("nft", "delete", "table", "netdev", "bench")


def backlog() -> int:
    """Packets that a processor had no room for before any rule saw them."""
    lines = Path("/proc/net/softnet_stat").read_text().splitlines()
    return sum(int(line.split()[1], 16) for line in lines)


def churn(site: Site, flooding: Callable[[], bool]) -> int:
    """Changes until the flood is over; how many. Every eighth is the repair that writes all rules anew."""
    document, made = site.documents["200 ports"], 0
    changed = [shared(document, grow(document, 1)) for grow in (one_member_more, one_rule_more, one_port_more)]
    whole = delta(compile_document(document, METADATA_PORT), compile_document(document, METADATA_PORT), rewrite=True)
    while flooding():
        if made % 8 == 6:
            site.inside(lambda: nft.commit(whole))
        else:
            site.apply(changed[made // 2 % 3] if made % 2 else document)
        made += 1
    return made


def shared(old: HostDocument, new: HostDocument) -> HostDocument:
    """As an agent has it that got the difference."""
    return patched(old, difference(old, new))


def rows(site: Site) -> list[dict[str, object]]:
    """The first rules switch forwarding on."""
    site.rules("10 ports")
    bulk = compared(site, "send", ("nothing", "200 ports", "nothing again"))
    connects = compared(site, "connect", ("ct", "10 ports", "200 ports", "1,000 ports"))
    return [
        flood_row(site, fresh=False),
        flood_row(site, fresh=True),
        throughput_row(bulk),
        connections_row("200 ports", "ct", connects, 0.88),
        connections_row("1,000 ports", "10 ports", connects, 0.95),
    ]


def main() -> None:
    os.sched_setaffinity(0, {REST})
    documents = {name: crowd(*size) for name, size in SIZES.items()}
    two = dict(list(documents["10 ports"].instances.items())[:2])
    with tempfile.TemporaryDirectory() as folder, standins(replace(documents["10 ports"], instances=two)) as lab:
        program = str(Path(folder) / "traffic")
        source = Path(__file__).with_name("traffic.c")
        subprocess.run(["cc", "-O2", "-o", program, str(source)], check=True)
        firewall = Firewall(METADATA_PORT)
        found = rows(Site(lab, program, documents, firewall, Links(firewall.loaded)))
    if "--json" in sys.argv:
        print(json.dumps(found))
        return
    for one in found:
        mark = "" if one["holds"] else "  MISSED"
        print(
            f"{one['name']}: {one['value']} {one['unit']} ({one['peer']}; ratio {one['ratio']}; bar {one['bar']}){mark}"
        )


if __name__ == "__main__":
    main()
