"""A host whose guests are network namespaces: the whole data path, without a hypervisor.

    with standins(document) as lab:
        lab.apply(document)                         # firewall, links and dnsmasq, inside the host's namespace
        server = lab.guests["web-1"].listen(80)
        assert lab.reaches(lab.outside, lab.guests["web-1"], 80)

What is there: `lab.host` is the hypervisor's namespace, where the agent's Parts run in a child process, with an uplink
`up0` (198.51.100.1/24, default route) to `lab.outside` (198.51.100.2, which has a route to every subnet). Each instance
of `document` is a guest: a namespace with `eth0` that bears the NIC's MAC, joined to a veth in the host that bears the
tap's name and GATEWAY/32 peer ADDRESS, as libvirt would make it; its other NICs are `eth1` and so on, with the routes
that DHCP would give. `addressed=False` leaves them all without an address, for DHCP. Further guests:
`lab.add_guest(instance, networks)`; unlike a machine, one is plugged in before any apply.

Nothing is applied by itself. `lab.apply` raises HostError as the Part did; `lab.drift` gives (address, message) pairs;
both take `only="firewall"` and the like. `more=("package.module:function",)` adds Parts: each is called with the run
folder. `lab.stop_agent()` and `lab.kill_agent()` end the child; the next call starts another one.

Whether something is let through is decided by events, not by waiting: a packet either arrives or moves a drop counter.
Needs root, iproute2, nftables, conntrack and dnsmasq. All names begin with `cst-`; everything is gone afterwards.
"""

import json
import os
import select
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from cloudsync.model import wire
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Instance, Network, Nic
from cloudsync.model.ruling import Ruling
from cloudsync.reach.question import Question
from tests.lab import runner
from tests.lab.copied import Copy, Passed
from tests.lab.namespace import Namespace

HOST, OUTSIDE = "198.51.100.1", "198.51.100.2"
METADATA_PORT = 8775
PATIENCE = 20.0


@dataclass(frozen=True)
class Peer:
    """One end of traffic: a guest, or outside."""

    namespace: Namespace
    address: str

    def listen(self, port: int, kind: int = socket.SOCK_STREAM, address: str = "") -> socket.socket:
        found = self.namespace.socket(kind)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address, port))
        if kind == socket.SOCK_STREAM:
            found.listen(16)
        return found

    def connect(self, address: str, port: int) -> socket.socket:
        """A connection, or OSError after PATIENCE."""
        found = self.namespace.socket()
        found.settimeout(PATIENCE)
        try:
            found.connect((address, port))
        except OSError:
            found.close()
            raise
        return found


@dataclass(frozen=True)
class Guest(Peer):
    instance: Instance
    nic: Nic


@dataclass(frozen=True)
class Agent:
    """The Parts' process, and its two streams."""

    process: Copy
    asked: IO[str]
    said: IO[str]


@dataclass
class Lab:
    host: Namespace
    outside: Peer
    run: Path
    more: tuple[str, ...]
    guests: dict[str, Guest] = field(default_factory=dict)
    _agent: "Agent | None" = None

    def apply(self, document: HostDocument, only: str | None = None) -> None:
        self._ask(do="apply", document=_plain(document), only=only)

    def drift(self, document: HostDocument, only: str | None = None) -> list[tuple[str, str]]:
        found = self._ask(do="drift", document=_plain(document), only=only)["drift"]
        return [(address, message) for address, _, message in found]

    def rulings(self, document: HostDocument, asked: Question) -> tuple[Ruling, ...]:
        """What the firewall says the kernel's rules do."""
        question = json.loads(wire.dump(asked))
        found = self._ask(do="rulings", document=_plain(document), asked=question)["rulings"]
        return wire.load(tuple[Ruling, ...], json.dumps(found))

    def remove(self) -> None:
        """What `cloudsync.agent.firewall.remove` does."""
        self._ask(do="remove")

    def nft(self, script: str) -> None:
        """Tamper."""
        self.host.run("nft", "-f", "-", stdin=script)

    def dropped(self) -> int:
        """Packets that our tables have dropped so far, as far as they count them."""
        return sum(rule["packets"] for rule in self.counters() if rule["drops"])

    def counters(self) -> list[dict[str, Any]]:
        """{"chain", "packets", "drops"} of every rule that counts, in order."""
        found = []
        for family in ("inet", "arp"):
            listing = self.host.run("nft", "-j", "list", "table", family, "cloudsync").stdout
            rules = [entry["rule"] for entry in json.loads(listing)["nftables"] if "rule" in entry]
            for rule in rules:
                counts = [part["counter"]["packets"] for part in rule["expr"] if "counter" in part]
                drops = any("drop" in part for part in rule["expr"])
                found += [{"chain": f"{family} {rule['chain']}", "packets": one, "drops": drops} for one in counts]
        return found

    def reaches(
        self, source: Peer, target: Peer | str, port: int, kind: int = socket.SOCK_STREAM, bound: str = ""
    ) -> bool:
        """Whether a first packet from `source` arrives at `target`, or is dropped by our rules on its way.

        TCP counts as arrived when it is answered, by a reset too; for UDP, `target` must be a Peer. It is sent from the
        address `bound`, or from the one that the kernel chooses.
        """
        address = target if isinstance(target, str) else target.address
        before = self.dropped()
        with source.namespace.socket(kind) as client:
            if bound:
                client.bind((bound, 0))
            if kind == socket.SOCK_STREAM:
                return self._answered(client, address, port, before)
            assert isinstance(target, Peer)
            with target.listen(port, kind) as server:
                client.sendto(b"?", (address, port))
                return self.arrived(server, before)

    def _answered(self, client: socket.socket, address: str, port: int, before: int) -> bool:
        client.setblocking(False)
        client.connect_ex((address, port))
        return self._first_of(lambda: bool(select.select([], [client], [], 0.02)[1]), before)

    def arrived(self, server: socket.socket, before: int) -> bool:
        """Whether `server` gets something, or a counter rises above `before`."""
        return self._first_of(lambda: bool(select.select([server], [], [], 0.02)[0]), before)

    def _first_of(self, arrived: Any, before: int) -> bool:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if arrived():
                return True
            if self.dropped() > before:
                return False
        raise AssertionError("the packet neither arrived nor was it counted as dropped")

    def add_guest(
        self,
        instance: Instance,
        networks: Mapping[str, Network],
        addressed: bool = True,
        namespace: Namespace | None = None,
    ) -> Guest:
        """Plug a guest in, with all its NICs; into `namespace`, for one that listens already."""
        namespace = namespace or Namespace.new(instance.name[:20])
        guest = Guest(namespace, instance.nics[0].address, instance, instance.nics[0])
        self.guests[instance.name] = guest
        for at, nic in enumerate(instance.nics):
            self._plug(guest, at, networks[nic.network])
            if addressed:
                _address(guest, at, networks[nic.network])
        return guest

    def _plug(self, guest: Guest, at: int, network: Network) -> None:
        nic, namespace, device = guest.instance.nics[at], guest.namespace, f"eth{at}"
        self.host.ip("link", "add", nic.tap, "type", "veth", "peer", "name", device, "netns", namespace.name)
        namespace.ip("link", "set", device, "address", nic.mac)
        self.host.ip("addr", "add", f"{network.gateway}/32", "peer", f"{nic.address}/32", "dev", nic.tap)
        self.host.ip("link", "set", nic.tap, "up")
        namespace.ip("link", "set", device, "up")

    def stop_agent(self) -> None:
        """End of input: Parts are closed, as when the agent is stopped."""
        if self._agent:
            self._agent.asked.close()
            self._finished(self._agent)

    def kill_agent(self) -> None:
        """No Part is closed."""
        if self._agent:
            self._agent.process.kill()
            self._finished(self._agent)

    def _finished(self, agent: "Agent") -> None:
        agent.process.wait(PATIENCE)
        for stream in (agent.asked, agent.said):
            with suppress(BrokenPipeError):
                stream.close()
        self._agent = None

    def _ask(self, **request: object) -> dict[str, Any]:
        agent = self._agent or self._start()
        agent.asked.write(json.dumps(request) + "\n")
        agent.asked.flush()
        line = agent.said.readline()
        assert line, "the agent's child ended"
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise HostError(answer["error"], answer["hint"])
        return answer

    def _start(self) -> "Agent":
        to_read, asked = os.pipe()
        said, to_write = os.pipe()
        try:
            streams = (Passed(to_read), Passed(to_write))
            process = Copy(runner.main, self.host.name, streams, self.run, METADATA_PORT, self.more)
        finally:
            os.close(to_read)
            os.close(to_write)
        self._agent = Agent(process, os.fdopen(asked, "w"), os.fdopen(said))
        return self._agent

    def dismantle(self) -> None:
        with suppress(BrokenPipeError, AssertionError):
            self.stop_agent()
        self.kill_agent()
        for peer in (*self.guests.values(), self.outside):
            peer.namespace.remove()
        self.host.remove()
        shutil.rmtree(self.run, ignore_errors=True)


@contextmanager
def standins(document: HostDocument, addressed: bool = True, more: tuple[str, ...] = ()) -> Iterator[Lab]:
    """See the module."""
    run = Path(tempfile.mkdtemp(prefix="cst-"))
    run.chmod(0o755)
    lab = Lab(Namespace.new("host"), Peer(Namespace.new("outside"), OUTSIDE), run, more)
    try:
        _uplink(lab, document)
        for instance in document.instances.values():
            lab.add_guest(instance, document.networks, addressed)
        yield lab
    finally:
        lab.dismantle()


def _address(guest: Guest, at: int, network: Network) -> None:
    """The first NIC has the default route, another one the route to its network if it is another."""
    nic, device, metric = guest.instance.nics[at], f"eth{at}", str(100 + at)
    guest.namespace.ip("addr", "add", f"{nic.address}/32", "dev", device)
    guest.namespace.ip("route", "add", network.gateway, "dev", device, "metric", metric)
    beyond = "default" if at == 0 else network.subnet
    if at == 0 or nic.network not in {one.network for one in guest.instance.nics[:at]}:
        guest.namespace.ip("route", "add", beyond, "via", network.gateway, "dev", device, "metric", metric)


def _uplink(lab: Lab, document: HostDocument) -> None:
    outside = lab.outside.namespace
    lab.host.sysctl("net/ipv4/ip_forward", 0)
    lab.host.ip("link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", outside.name)
    for namespace, device, address in ((lab.host, "up0", HOST), (outside, "eth0", OUTSIDE)):
        namespace.ip("addr", "add", f"{address}/24", "dev", device)
        namespace.ip("link", "set", device, "up")
    lab.host.ip("route", "add", "default", "via", OUTSIDE)
    for network in document.networks.values():
        outside.ip("route", "add", network.subnet, "via", HOST)


def _plain(document: HostDocument) -> Any:
    return json.loads(wire.dump(document))
