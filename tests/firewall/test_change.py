"""What a change, a tampering or a flush does to running traffic."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from cloudsync.agent.firewall import names
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Rule
from tests.firewall.documents import DEFAULT, NETWORK, document, egress, group, ingress, instance
from tests.lab.standins import HOST, OUTSIDE, PATIENCE, Lab, Peer, standins

pytestmark = pytest.mark.real

A, B = instance("a", "10.20.0.11"), instance("b", "10.20.0.12", ("default", "web"))
GID = names.identifier("web")


def world(*rules: Rule, instances: tuple[str, ...] = ("a", "b")) -> HostDocument:
    found = [one for one in (A, B) if one.name in instances]
    return document(found, [group("default", egress()), group("web", *rules)])


OPEN = ingress("any", "tcp", (80, 80))
BESIDE = ingress("any", "tcp", (81, 81))
DOCUMENT = world(OPEN, BESIDE)


@pytest.fixture
def lab() -> Iterator[Lab]:
    with standins(DOCUMENT) as made:
        made.apply(DOCUMENT)
        yield made


@contextmanager
def talking(source: Peer, target: Peer, port: int) -> Iterator[tuple[socket.socket, socket.socket]]:
    """An established connection: (client's end, server's end)."""
    with target.listen(port) as server, source.connect(target.address, port) as client:
        accepted, _ = server.accept()
        with accepted:
            accepted.settimeout(PATIENCE)
            exchange(client, accepted)
            yield client, accepted


def exchange(one: socket.socket, other: socket.socket) -> None:
    one.sendall(b"ping")
    assert other.recv(4) == b"ping"
    other.sendall(b"pong")
    assert one.recv(4) == b"pong"


def entries(lab: Lab, port: int) -> list[str]:
    listed = lab.host.run("conntrack", "-L", "-p", "tcp", "--dport", str(port), check=False).stdout
    return [line for line in listed.splitlines() if "ESTABLISHED" in line]


def is_cut(lab: Lab, one: socket.socket, other: socket.socket, port: int) -> bool:
    """Both ends speak and neither is heard: what they send is no known flow, and no new one without SYN."""
    one.sendall(b"lost")
    other.sendall(b"lost")
    for end in (one, other):
        end.setblocking(False)
        try:
            end.recv(4)
        except BlockingIOError:
            continue
        return False
    return entries(lab, port) == []


@pytest.mark.parametrize("source", ["outside", "a"])
def test_a_withdrawn_rule_cuts_its_flow_and_no_other(lab: Lab, source: str) -> None:
    origin = lab.outside if source == "outside" else lab.guests["a"]
    with talking(origin, lab.guests["b"], 80) as doomed, talking(origin, lab.guests["b"], 81) as kept:
        lab.apply(world(BESIDE))
        assert entries(lab, 80) == []
        assert is_cut(lab, *doomed, 80)
        exchange(*kept)


def test_an_added_rule_disturbs_nothing(lab: Lab) -> None:
    with talking(lab.outside, lab.guests["b"], 80) as kept:
        lab.apply(world(OPEN, BESIDE, ingress("any", "tcp", (82, 82))))
        exchange(*kept)
        assert lab.reaches(lab.outside, lab.guests["b"], 82)


def test_a_member_that_leaves_elsewhere_is_cut_here(lab: Lab) -> None:
    """`outside` stands for an instance on another host."""
    rules = [group("default", egress()), group("web", ingress("group.peers", "tcp", (80, 80)))]
    far = replace(instance("far", OUTSIDE, ("peers",)))
    lab.apply(document([A, B], rules, elsewhere=[far]))
    with talking(lab.outside, lab.guests["b"], 80) as doomed:
        lab.apply(document([A, B], rules))
        assert is_cut(lab, *doomed, 80)


def test_an_instance_that_goes_takes_its_flows(lab: Lab) -> None:
    with talking(lab.outside, lab.guests["b"], 80), talking(lab.guests["a"], lab.outside, 90) as kept:
        lab.apply(world(OPEN, instances=("a",)))
        listed = lab.host.run("conntrack", "-L").stdout
        assert "10.20.0.12" not in listed
        exchange(*kept)


def test_flows_of_the_host_itself_are_left_alone(lab: Lab) -> None:
    with talking(Peer(lab.host, HOST), lab.guests["b"], 22) as kept:
        lab.apply(world())
        exchange(*reversed(kept))  # the guest first: the host's packet would make the entry anew


def test_an_agent_that_starts_cuts_what_the_last_one_left(lab: Lab) -> None:
    """Killed between the new rules and the cutting."""
    with talking(lab.outside, lab.guests["b"], 80) as doomed:
        lab.kill_agent()
        lab.nft(f"flush chain inet cloudsync gi_{GID}")
        assert len(entries(lab, 80)) == 1
        lab.apply(world())
        assert is_cut(lab, *doomed, 80)


def test_rules_stay_when_the_agent_stops(lab: Lab) -> None:
    lab.stop_agent()
    assert lab.reaches(lab.outside, lab.guests["b"], 80)
    assert not lab.reaches(lab.outside, lab.guests["b"], 443)
    assert lab.drift(DOCUMENT, only="firewall") == []


def test_flushing_every_rule_closes_guests_instead_of_opening_them(lab: Lab) -> None:
    """With the table gone there is no counter: the kernel's own EHOSTUNREACH says it."""
    lab.host.run("nft", "flush", "ruleset")
    for source, target in (
        (lab.guests["a"], "10.20.0.12"),
        (lab.guests["a"], OUTSIDE),
        (lab.outside, "10.20.0.12"),
    ):
        with pytest.raises(OSError, match=r"No route to host|Permission denied"):
            source.connect(target, 80)
    with lab.guests["b"].listen(22) as server, Peer(lab.host, HOST).connect("10.20.0.12", 22):
        server.accept()[0].close()
    assert ("host.kvm-1", "the firewall table inet cloudsync is missing") in lab.drift(DOCUMENT)
    lab.apply(DOCUMENT)
    assert lab.reaches(lab.outside, lab.guests["b"], 80)


def test_without_the_table_the_host_does_not_forward(lab: Lab) -> None:
    lab.remove()
    lab.host.sysctl("net/ipv4/ip_forward", 0)
    with pytest.raises(HostError, match="forwarding stays off"):
        lab.apply(DOCUMENT, only="links")
    assert lab.host.run("cat", "/proc/sys/net/ipv4/ip_forward").stdout == "0\n"
    lab.apply(DOCUMENT)
    assert lab.host.run("cat", "/proc/sys/net/ipv4/ip_forward").stdout == "1\n"


def test_removing_leaves_nothing_of_ours_and_all_of_others(lab: Lab) -> None:
    lab.nft("add table inet somebody\nadd chain inet somebody x")
    lab.host.ip("rule", "add", "pref", "40", "to", "192.0.2.0/24", "lookup", "main")
    lab.remove()
    lab.remove()
    assert lab.host.run("nft", "list", "tables").stdout == "table inet somebody\n"
    rules = lab.host.ip("rule")
    assert "192.0.2.0/24" in rules
    assert "10.20.0.0/16" not in rules


def tap(name: str) -> str:
    return DOCUMENT.instances[name].nics[0].tap


def test_no_packet_is_lost_while_rules_change(lab: Lab) -> None:
    """UDP by turns: a single datagram that is lost stops it for good."""
    udp = ingress("any", "udp", (80, 80))
    worlds = [world(udp), world(udp, OPEN), world(udp, BESIDE, instances=("b",)), world(udp, ingress("group.web"))]
    lab.apply(worlds[0])
    target = lab.guests["b"]
    with lab.outside.namespace.socket(socket.SOCK_DGRAM) as client, target.listen(80, socket.SOCK_DGRAM) as server:
        for end in (client, server):
            end.settimeout(PATIENCE)
        client.connect((target.address, 80))
        client.sendall(b"first")
        server.connect(server.recvfrom(5)[1])
        with flowing(client, server) as flow:
            for at in range(12):
                lab.nft("add rule inet cloudsync forward_to accept")
                lab.apply(worlds[at % len(worlds)])
                flow.wait_for_more()


def test_guards_and_settings_are_named_and_put_right(lab: Lab) -> None:
    lab.host.ip("rule", "del", "pref", "33")
    lab.host.sysctl("net/ipv4/ip_forward", 0)
    lab.host.sysctl("net/ipv4/conf/all/src_valid_mark", 0)
    lab.host.ip("rule", "add", "pref", "31", "from", "10.99.0.0/16", "iif", "lo", "lookup", "main", "protocol", "197")
    assert [message for _, message in lab.drift(DOCUMENT)] == [
        "the guard `ip rule add from 10.20.0.0/16 fwmark 0/0x40000000 prohibit` is missing",
        "the guard `ip rule … from 10.99.0.0/16 iif lo lookup main` is not wanted",
        "net.ipv4.conf.all.src_valid_mark is not 1",
        "net.ipv4.ip_forward is not 1",
    ]
    lab.apply(DOCUMENT)
    assert lab.drift(DOCUMENT) == []


@pytest.mark.parametrize("mode", [1, 2])
def test_reverse_path_filtering_changes_nothing(lab: Lab, mode: int) -> None:
    for device in ("all", "up0", tap("a"), tap("b")):
        lab.host.sysctl(f"net/ipv4/conf/{device}/rp_filter", mode)
    assert lab.reaches(lab.outside, lab.guests["b"], 80)
    assert lab.reaches(lab.guests["a"], lab.outside, 443)
    assert lab.reaches(lab.guests["a"], lab.guests["b"], 81)


class Flow:
    """Bytes that go through, by default without pause; each one arrives, in order, or the test fails."""

    def __init__(self, client: socket.socket, server: socket.socket, pause: float) -> None:
        self._client, self._server, self._pause = client, server, pause
        self._stop, self._moved = threading.Event(), threading.Condition()
        self._rounds = 0
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        while not self._stop.wait(self._pause):
            exchange(self._client, self._server)
            with self._moved:
                self._rounds += 1
                self._moved.notify_all()

    def wait_for_more(self) -> None:
        with self._moved:
            goal = self._rounds + 2
            assert self._moved.wait_for(lambda: self._rounds >= goal, PATIENCE), "the flow stopped"

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


@contextmanager
def flowing(client: socket.socket, server: socket.socket, pause: float = 0.0) -> Iterator[Flow]:
    flow = Flow(client, server, pause)
    try:
        yield flow
    finally:
        flow.end()


def test_a_refused_document_changes_nothing(lab: Lab) -> None:
    before = lab.host.run("nft", "list", "ruleset").stdout.splitlines()
    broken = replace(DOCUMENT, groups={"default": DEFAULT})
    with pytest.raises(HostError, match="which the document does not hold"):
        lab.apply(broken)
    after = lab.host.run("nft", "list", "ruleset").stdout.splitlines()
    assert [line for line in after if "counter" not in line] == [line for line in before if "counter" not in line]


def test_a_second_network_gets_its_own_guards(lab: Lab) -> None:
    second = replace(NETWORK, name="back", subnet="10.30.0.0/24", gateway="10.30.0.1")
    lab.apply(replace(DOCUMENT, networks={**DOCUMENT.networks, "back": second}))
    assert lab.host.ip("rule").count("10.30.0.0/24") == 4
    lab.apply(DOCUMENT)
    assert "10.30.0.0/24" not in lab.host.ip("rule")
