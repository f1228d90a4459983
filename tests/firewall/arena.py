"""Guests that are built once, and trials on them: worlds one after the other, real packets under each, and the model.

Never may a packet arrive that the model forbids, or one be missing that it permits; and what does not arrive has been
counted by our tables. Which of the two became of a packet is told by order (`tests.lab.wire`), never by waiting.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from cloudsync.model.document import HostDocument
from tests.firewall.drawer import Drawer
from tests.firewall.model import Model
from tests.firewall.probes import ADDRESSES, REVIVES, Probe, Talk, place
from tests.firewall.worlds import ELSEWHERE, STRANGERS, World
from tests.lab import frames
from tests.lab.standins import OUTSIDE, Lab, standins
from tests.lab.wire import Wire, put_up, wired

_WORD = re.compile(rb"<\d+>")


class Difference(AssertionError):
    """The kernel and the model disagree."""


@dataclass
class Sent:
    """A packet on its way. `source` and `target` are the addresses it must arrive with; not `ours`: what becomes of it
    where it is not permitted is not for our tables to count."""

    about: str
    place: str
    packet: bytes
    where: str
    source: str
    target: str
    protocol: int
    permitted: bool
    ours: bool = True


@dataclass
class Arena:
    lab: Lab
    wire: Wire
    folder: Path
    probes: int = 0
    packets: int = 0
    _number: int = 0
    _worlds: list[World] = field(default_factory=list)
    _talks: list[Talk] = field(default_factory=list)
    _lost: list[str] = field(default_factory=list)

    def trial(self, worlds: Sequence[World], seed: int, probes: int) -> None:
        """Raise Difference, with the worlds as specs and the packet; `probes` are begun in each world."""
        drawer = Drawer(seed)
        self.start()
        for world in worlds:
            self.enact(world, lambda document: islice(drawer.probes(document), probes))

    def start(self) -> None:
        """Nothing is under way, and nothing has been."""
        self.lab.host.run("conntrack", "-F")
        self._worlds, self._talks = [], []

    def enact(self, world: World, choose: Callable[[HostDocument], Iterable[Probe]]) -> None:
        """Apply a world; go on with what began in those before it, and begin what is chosen."""
        self._worlds.append(world)
        document = world.document(self.folder)
        self.lab.apply(document, only="firewall")
        law = Model(document)
        before, self._lost = self._dropped(), []
        self._talks = self._goes_on(self._talks, law)
        self._talks += self._begins([self._talk(probe) for probe in choose(document)], law)
        self._account(self._dropped() - before)

    def _account(self, counted: int) -> None:
        """What did not arrive is what our tables counted."""
        if counted != len(self._lost):
            lost = "\n".join(self._lost)
            raise self._difference(
                f"{len(self._lost)} packets did not arrive, and {counted} were counted; they are\n{lost}"
            )

    def _dropped(self) -> int:
        listing = self.lab.host.run("nft", "-j", "list", "table", "inet", "cloudsync").stdout
        rules = [entry["rule"]["expr"] for entry in json.loads(listing)["nftables"] if "rule" in entry]
        drops = [part for rule in rules if {"drop": None} in rule for part in rule]
        return sum(part["counter"]["packets"] for part in drops if "counter" in part)

    def _talk(self, probe: Probe) -> Talk:
        self._number += 1
        self.probes += 1
        return Talk(probe, self._number)

    def _begins(self, talks: list[Talk], law: Model) -> list[Talk]:
        """Open each, answer each, and complain about some. Those that began."""
        permitted = [permits(law, talk.probe) for talk in talks]
        seen = self._all(
            self._forth(talk, talk.opening, "", lawful) for talk, lawful in zip(talks, permitted, strict=True)
        )
        for talk, packet in zip(talks, seen, strict=True):
            talk.seen = packet
        self._all(
            self._back(talk, talk.answer, "an answer to", lawful)
            for talk, lawful in zip(talks, permitted, strict=True)
            if lawful or talk.probe.protocol not in REVIVES
        )
        begun = [talk for talk in talks if talk.seen]
        self._all(self._complains(talk) for talk in begun if talk.probe.port and talk.number % 4 == 0)
        return begun

    def _goes_on(self, talks: list[Talk], law: Model) -> list[Talk]:
        """Connections of another world: those that this one permits live, the others are dead both ways."""
        alive = [permits(law, talk.probe) for talk in talks]
        self._all(
            self._forth(talk, talk.more, "going on with", lives) for talk, lives in zip(talks, alive, strict=True)
        )
        self._all(self._revived(talk, law, lives) for talk, lives in zip(talks, alive, strict=True))
        return [talk for talk, lives in zip(talks, alive, strict=True) if lives]

    def _revived(self, talk: Talk, law: Model, lives: bool) -> Sent:
        """An answer to what is dead may be permitted as something that begins there."""
        if lives:
            return self._back(talk, talk.answer_more, "going on with answers to", True)
        turned = talk.probe.turned(talk.port if talk.probe.port else None)
        again = talk.probe.protocol in REVIVES and not talk.probe.natted and permits(law, turned)
        found = self._back(talk, talk.answer_more, "answers to what is dead:", again)
        found.source, found.ours = turned.seen_as if again else found.source, not talk.probe.natted
        return found

    def _forth(self, talk: Talk, make: Callable[[bytes], bytes], what: str, permitted: bool) -> Sent:
        probe = talk.probe
        packet = make(self._word())
        about = f"{what} {probe}".strip()
        ends = (probe.seen_as, ADDRESSES[probe.target])
        return Sent(about, place(probe.source), packet, place(probe.target), *ends, probe.protocol, permitted)

    def _back(self, talk: Talk, make: Callable[[bytes], bytes], what: str, permitted: bool) -> Sent:
        probe = talk.probe
        packet = make(self._word())
        ends = (ADDRESSES[probe.target], ADDRESSES[probe.source])
        return Sent(
            f"{what} {probe}", place(probe.target), packet, place(probe.source), *ends, probe.protocol, permitted
        )

    def _complains(self, talk: Talk) -> Sent:
        found = self._back(talk, talk.complaint, "an error about", True)
        found.protocol = frames.ICMP
        return found

    def _word(self) -> bytes:
        self.packets += 1
        return f"<{self.packets}>".encode()

    def _all(self, given: Iterator[Sent]) -> list[frames.Packet | None]:
        """Send them, look at all that arrives, and hold it against what was permitted. How each arrived, in order."""
        sent = list(given)
        for one in sent:
            self.wire.send(one.place, self.wire.to_host(one.place, one.packet))
        found: dict[bytes, list[tuple[str, frames.Packet]]] = {}
        for where, frame in self.wire.settle():
            packet = frames.parse4(frame)
            if packet and (words := _WORD.findall(packet.body)):
                found.setdefault(words[-1], []).append((where, packet))
        arrived = [self._arrival(one, found.get(_WORD.findall(one.packet)[-1], [])) for one in sent]
        self._lost += [one.about for one, packet in zip(sent, arrived, strict=True) if one.ours and not packet]
        return arrived

    def _arrival(self, sent: Sent, found: list[tuple[str, frames.Packet]]) -> frames.Packet | None:
        there = [packet for where, packet in found if (where, packet.protocol) == (sent.where, sent.protocol)]
        astray = {where for where, packet in found if packet.protocol == sent.protocol} - {
            sent.where,
            sent.place,
            "host",
        }
        if bool(there) is not sent.permitted:
            raise self._difference(f"{sent.about}: it {'arrives' if there else 'does not arrive'}")
        if astray or len(there) > 1:
            raise self._difference(f"{sent.about}: it arrives {len(there)} times, and at {sorted(astray)}")
        if there and (there[0].source, there[0].target) != (sent.source, sent.target):
            raise self._difference(f"{sent.about}: it arrives from {there[0].source} to {there[0].target}")
        return there[0] if there else None

    def _difference(self, text: str) -> Difference:
        worlds = "\nand then\n".join(str(world) for world in self._worlds)
        return Difference(f"{text}\nunder\n{worlds}")


def permits(law: Model, probe: Probe) -> bool:
    ends = (ADDRESSES[probe.source], ADDRESSES[probe.target])
    return probe.begins and law(*ends, probe.protocol, probe.port, probe.icmp)


@contextmanager
def built(world: World) -> Iterator[Arena]:
    """The guests, the network, and everybody's MAC known to the host; `world` may be any."""
    with TemporaryDirectory() as folder:
        document = world.document(Path(folder))
        with standins(document, addressed=False) as lab, wired(lab) as wire:
            for stranger in STRANGERS:
                outside = (stranger, "lladdr", wire.macs["outside"], "dev", "up0")
                lab.host.ip("neigh", "replace", *outside, "nud", "permanent")
            for address in (address for _, address in ELSEWHERE.values()):
                lab.host.ip("route", "add", address, "via", OUTSIDE)
            put_up(lab, document)
            for name in lab.host.enter(_timeouts):
                lab.host.sysctl(f"net/netfilter/{name}", 3600)
            yield Arena(lab, wire, Path(folder))


def _timeouts() -> list[str]:
    """Some are of 3 s, and a slow machine would have connections die between two packets."""
    return [path.name for path in Path("/proc/sys/net/netfilter").glob("nf_conntrack_*_timeout*")]
