"""Changes of security groups at size: in the kernel, through the agent, read back, and by libvirt's nwfilter.

`python -m bench.firewall [--json]` inside tests/lab/private.py. The kernel's times begin with the start of `nft`, in a
network namespace of their own; the agent's are of the controller's request, with the working out of the delta.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench import nwfilter
from bench.clock import Times
from bench.crowd import crowd, empty, one_member_more, one_port_more, one_rule_more
from bench.layout import reference
from bench.reference import LISTING, LOAD, MEMBER, Reference
from cloudsync.agent import garbage
from cloudsync.agent.firewall import Firewall, genid, nft
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.delta import delta
from cloudsync.agent.firewall.names import members
from cloudsync.agent.firewall.ruleset import Ruleset
from cloudsync.hosts.agent_client import AgentClient
from cloudsync.model.delta import difference, patched
from cloudsync.model.document import HostDocument
from tests.lab.cloud import running_agent
from tests.lab.namespace import Namespace

Grow = Callable[[HostDocument, int], HostDocument]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "15"))
SIZE = "200 ports, 20 groups x 30 rules x 2,000 members"
SOCKET = Path("/run/cloudsync/agent.sock")
PORT = 8775
_GLANCE = 0.0002
MORE: dict[str, Grow] = {"member": one_member_more, "rule": one_rule_more, "port": one_port_more}
LIST = ("nft", "-j", "list", "table", "inet", "cloudsync")
ELEMENT = f"element inet cloudsync {members('group.g000')} {{ 10.127.2.1 }}\n"
NWFILTER = (30, 5)
"""Rules of the filter and machines that have it: libvirt takes seconds for one change to this."""


@contextmanager
def namespace() -> Iterator[Namespace]:
    made = Namespace.new("bench")
    try:
        yield made
    finally:
        made.remove()


class Beside:
    """The reference layout in network namespaces of its own: the seconds that it takes right before what is held
    against it."""

    def __init__(self, times: Times, whole: Ruleset, standing: Namespace, fresh: Namespace) -> None:
        self._times, self._script, self._standing, self._fresh = times, reference(whole), standing, fresh
        standing.enter(lambda: nft.commit(self._script))

    def load(self) -> float:
        self._fresh.enter(lambda: self._times.add(LOAD.name, lambda: nft.commit(self._script)))
        self._fresh.run("nft", "flush", "ruleset")
        return self._last(LOAD)

    def member(self) -> float:
        """As a whole process, as it was timed where the bars were set."""
        self._standing.enter(lambda: self._times.add(MEMBER.name, lambda: nft.commit(f"add {ELEMENT}")))
        self._standing.run("nft", "-f", "-", stdin=f"delete {ELEMENT}")
        return self._last(MEMBER)

    def listing(self) -> float:
        def listed() -> None:
            subprocess.run(LIST, check=True, capture_output=True)

        self._standing.enter(lambda: self._times.add(LISTING.name, listed))
        return self._last(LISTING)

    def _last(self, which: Reference) -> float:
        return self._times.found[which.name][-1][0]


@contextmanager
def beside(times: Times, document: HostDocument) -> Iterator[Beside]:
    with namespace() as standing, namespace() as fresh:
        yield Beside(times, compile_document(document, PORT), standing, fresh)


def kernel(times: Times, theirs: Beside) -> None:
    """Every load from scratch, and each change from the whole, as `nft` gets them."""
    whole, small = crowd(), empty(crowd())
    compiled, before = compile_document(whole, PORT), compile_document(small, PORT)
    changes = {what: compile_document(grow(whole, 1), PORT) for what, grow in MORE.items()}
    with namespace() as place, place.enter(genid.opened) as netlink:

        def commit(script: str) -> None:
            place.enter(lambda: nft.commit(script))

        commit(delta(place.enter(nft.read), before))
        for _ in range(ROUNDS):
            times.add("load", lambda: commit(delta(before, compiled)), theirs.load())
            for what, changed in changes.items():
                script, beside = delta(compiled, changed), theirs.member()
                process = place.enter(lambda: times.add(f"nft {what}", lambda: in_force(script, netlink), beside))  # noqa: B023
                assert process.wait() == 0
                commit(delta(changed, compiled))
            commit(delta(compiled, before))
        reading(times, theirs, place, whole)


def in_force(script: str, netlink: socket.socket) -> "subprocess.Popen[str]":
    """Return when the kernel has it. nft's own end comes later: it waits until what was replaced has been freed."""
    before = genid.asked(netlink)
    process = subprocess.Popen(["nft", "-f", "-"], stdin=subprocess.PIPE, text=True)
    assert process.stdin
    process.stdin.write(script)
    process.stdin.close()
    while genid.asked(netlink) == before and process.poll() is None:
        time.sleep(_GLANCE)
    return process


def reading(times: Times, theirs: Beside, place: Namespace, whole: HostDocument) -> None:
    """A stranger's commit to a table of his own moves the generation."""
    firewall = Firewall(PORT)
    place.enter(lambda: firewall.apply(whole))
    for _ in range(ROUNDS):
        place.run("nft", "add", "table", "ip", "stranger")
        place.run("nft", "delete", "table", "ip", "stranger")
        beside = theirs.listing()
        assert place.enter(lambda: times.add("read", lambda: firewall.drift(whole), beside)) == ()  # noqa: B023
        place.enter(lambda: times.add("unmoved", lambda: firewall.drift(whole)))


class Controller:
    """Sends documents to the agent as the real one does, from `whole` on."""

    def __init__(self) -> None:
        self._client = AgentClient(SOCKET, "here")
        state = self._client.host()
        self._there, self._etag = state.document, state.etag

    def put(self, document: HostDocument) -> None:
        base = self._there.generation if self._there else 0
        document = replace(document, generation=base + 1)
        self._etag = self._client.put_document(document, base)
        self._there = document

    def patch(self, document: HostDocument) -> None:
        assert self._there is not None
        document = replace(document, generation=self._there.generation + 1)
        self._etag = self._client.patch_document(difference(self._there, document), self._etag)
        self._there = document

    def grown(self, grow: Grow, number: int) -> HostDocument:
        """From what is there, sharing it: what differs is what was asked for."""
        assert self._there is not None
        return patched(self._there, difference(self._there, grow(self._there, number)))

    def checked(self) -> None:
        assert self._client.host().drift == ()


def through_the_agent(times: Times, theirs: Beside) -> None:
    whole, small = crowd(), empty(crowd())
    with running_agent() as agent:
        times.agent = agent.pid
        controller = Controller()
        controller.put(small)
        for number in range(ROUNDS):
            times.add("PUT", lambda: controller.put(whole), theirs.load())
            times.add("PUT member", lambda number=number: controller.put(controller.grown(one_member_more, number)))  # type: ignore[misc]
            controller.checked()
            controller.put(small)
        controller.put(whole)
        for what, grow in MORE.items():
            for number in range(ROUNDS):
                wanted, beside = controller.grown(grow, number), theirs.member()
                times.add(f"PATCH {what}", lambda wanted=wanted: controller.patch(wanted), beside)  # type: ignore[misc]
        controller.checked()
        times.agent = None


def against_nwfilter(times: Times) -> None:
    rules, ports = NWFILTER
    with running_agent():
        controller = Controller()
        controller.put(crowd(ports=ports, groups=1, rules=rules, members=ports))
        for number in range(ROUNDS):
            wanted = controller.grown(one_rule_more, number)
            times.add("small rule", lambda wanted=wanted: controller.patch(wanted))  # type: ignore[misc]
    times.found["nwfilter"] = [(nwfilter.one_rule_more(rules, ports), 0.0)]


def rows() -> list[dict[str, object]]:
    times = Times()
    with beside(times, crowd()) as theirs:
        kernel(times, theirs)
        through_the_agent(times, theirs)
    against_nwfilter(times)
    whole = f"by PUT of all {times.median('PUT member') * 1e3:.0f} ms"
    return [
        held(times, LOAD, f"load of {SIZE}, one transaction in the kernel", "load", 0.3, spent(times, "load")),
        held(times, LOAD, "the same from PUT to answer", "PUT", 0.6, spent(times, "PUT")),
        *(held(times, MEMBER, f"one more {what} there, in force in the kernel", f"nft {what}", 0.01) for what in MORE),
        *(
            held(times, MEMBER, f"one more {what} there, from PATCH to answer", patch, 0.05, spent(times, patch, whole))
            for what in MORE
            for patch in (f"PATCH {what}",)
        ),
        held(times, LISTING, "reading it back and comparing", "read", 0.3, spent(times, "read")),
        times.row("the same when the generation has not moved", "unmoved", 0.001),
        compared(times),
    ]


def held(times: Times, by: Reference, name: str, what: str, bar: float, more: str = "") -> dict[str, object]:
    return by.row(name, times.measured(what), bar, more)


def spent(times: Times, what: str, *more: str) -> str:
    return "; ".join((*more, f"processor time {times.processor(what) * 1e3:.0f} ms"))


def compared(times: Times) -> dict[str, object]:
    ours, theirs = times.median("small rule"), times.median("nwfilter")
    rules, ports = NWFILTER
    return {
        "name": f"one more rule for {ports} machines with {rules}, from PATCH to answer",
        "value": round(ours * 1e3, 2),
        "unit": "ms",
        "peer": f"libvirt nwfilter {theirs:.2f} s",
        "ratio": round(ours / theirs, 5),
        "bar": ">= 100 x faster",
        "holds": theirs >= 100 * ours,
    }


def main() -> None:
    garbage.seldom()
    found = rows()
    if "--json" in sys.argv:
        print(json.dumps(found))
        return
    for one in found:
        mark = "" if one["holds"] else "  MISSED"
        print(f"{one['name']}: {one['value']} {one['unit']} ({one['peer']}; bar {one['bar']}){mark}")


if __name__ == "__main__":
    main()
