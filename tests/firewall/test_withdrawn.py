"""Withdrawn means cut: what the new rules forbid ends within a second, both ways, however much either end goes on."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cloudsync.model.document import HostDocument
from cloudsync.model.resources import Group, Instance
from tests.effort import PATIENCE
from tests.firewall.chat import ICMP, chatting
from tests.firewall.documents import NETWORK, document, egress, group, ingress, instance
from tests.firewall.test_change import flowing, talking
from tests.lab.standins import OUTSIDE, Lab, Peer, standins

pytestmark = pytest.mark.real

PAUSE = 0.002
"""Seconds. What is cut by mistake stays cut: it need not be asked without pause."""
LIMIT = 1.0
"""Seconds from the call that withdraws to the last packet that arrives."""
A, B, C = instance("a", "10.20.0.11", ("out",)), instance("b", "10.20.0.12", ("web",)), instance("c", "10.20.0.13")
FAR = replace(instance("far", OUTSIDE, ("peers",)))
"""`outside` stands for an instance on another host."""
OUT, WEB = group("out", egress()), group("web", ingress())
FRIENDS = group("web", ingress("group.peers"))
NO_OUT, NO_WEB = group("out"), group("web")
BYSTANDERS = group("default", egress(), ingress("any", "tcp", (81, 81)))


def world(*groups: Group, b: Instance = B, elsewhere: tuple[Instance, ...] = ()) -> HostDocument:
    return document([A, b, C], [BYSTANDERS, *groups], elsewhere=elsewhere)


ALL = world(OUT, WEB)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with standins(ALL) as made:
        yield made


def end(lab: Lab, name: str) -> Peer:
    return lab.outside if name == "outside" else lab.guests[name]


def applied(lab: Lab, after: HostDocument) -> float:
    """A second from now, or when it is applied on a machine that is slower than that."""
    limit = time.monotonic() + LIMIT
    lab.apply(after)
    return max(limit, time.monotonic())


WITHDRAWALS = {
    "a rule, from outside": ("outside", "b", ALL, world(OUT, NO_WEB)),
    "a rule, from a guest": ("a", "b", ALL, world(OUT, NO_WEB)),
    "the sender's rule, to a guest": ("a", "b", ALL, world(NO_OUT, WEB)),
    "the sender's rule, to outside by NAT": ("a", "outside", ALL, world(NO_OUT, WEB)),
    "the group of the instance": ("outside", "b", ALL, world(OUT, b=replace(B, groups=()))),
    "a member on another host": (
        "outside",
        "b",
        world(OUT, FRIENDS, elsewhere=(FAR,)),
        world(OUT, FRIENDS, elsewhere=(replace(FAR, groups=()),)),
    ),
    "the instance": ("outside", "b", ALL, document([A, C], [BYSTANDERS, OUT])),
    "all but others": ("outside", "b", ALL, world(OUT, group("web", ingress("192.0.2.0/24")))),
}


@pytest.mark.parametrize("kind", ["tcp", "udp", ICMP])
@pytest.mark.parametrize("what", WITHDRAWALS)
def test_what_is_withdrawn_ends_within_a_second_and_nothing_else(lab: Lab, what: str, kind: str) -> None:
    """Both ends of the doomed one talk on; a bystander's bytes go to and fro all the while, and each arrives."""
    origin, target, before, after = WITHDRAWALS[what]
    lab.apply(before)
    with (
        talking(lab.outside, lab.guests["c"], 81) as (client, server),
        flowing(client, server, PAUSE) as bystander,
        chatting(end(lab, origin), end(lab, target), kind) as doomed,
    ):
        doomed.ends_by(applied(lab, after))
        bystander.wait_for_more()


@pytest.mark.parametrize("kind", ["tcp", "udp", ICMP])
def test_what_stays_permitted_goes_on(lab: Lab, kind: str) -> None:
    """Also where the change made it be looked at: another rule of its group went, another lets it pass."""
    lab.apply(world(OUT, group("web", ingress(), ingress("any", "tcp", (22, 22)))))
    with chatting(lab.outside, lab.guests["b"], kind) as kept:
        lab.apply(ALL)
        kept.alive()
        lab.apply(world(OUT, group("web", ingress("198.51.100.0/24"))))
        kept.alive()


def test_a_guest_that_may_send_begins_a_flow_of_its_own(lab: Lab) -> None:
    """UDP has no beginning: what a guest may send it may send from any port. The flow that was let in is over."""
    sender, bare = replace(B, groups=("out", "web")), {"default": replace(NETWORK, nat=False)}
    lab.apply(replace(world(OUT, WEB, b=sender), networks=bare))
    with chatting(lab.outside, lab.guests["b"], "udp") as chat:
        assert _began(lab) == {OUTSIDE}
        lab.apply(replace(world(OUT, NO_WEB, b=sender), networks=bare))
        chat.alive()
        assert _began(lab) == {"10.20.0.12"}


def test_by_nat_that_flow_has_another_address_and_is_not_heard(lab: Lab) -> None:
    sender = replace(B, groups=("out", "web"))
    lab.apply(world(OUT, WEB, b=sender))
    with chatting(lab.outside, lab.guests["b"], "udp") as chat:
        chat.ends_by(applied(lab, world(OUT, NO_WEB, b=sender)))


def _began(lab: Lab) -> set[str]:
    """Who began the flows of b, as the kernel has it."""
    return {line.partition("src=")[2].split()[0] for line in _listed(lab, "udp")}


def _listed(lab: Lab, protocol: str, address: str = "10.20.0.12") -> list[str]:
    """Flows to and from an address, by default b's."""
    listed = lab.host.run("conntrack", "-L", "-p", protocol).stdout
    return [line for line in listed.splitlines() if f"={address} " in line]


def test_flows_go_with_an_instance_of_another_host(lab: Lab) -> None:
    """No rule here names it, but its address may be this host's next."""
    far = instance("far", "10.20.0.50", ("web",))
    lab.apply(world(OUT, WEB, elsewhere=(far,)))
    lab.outside.namespace.ip("addr", "add", "10.20.0.50/32", "dev", "lo")
    lab.host.ip("route", "add", "10.20.0.50", "via", OUTSIDE)
    with chatting(lab.guests["a"], Peer(lab.outside.namespace, "10.20.0.50"), "udp") as kept:
        lab.apply(world(OUT, WEB, elsewhere=(replace(far, groups=()),)))
        kept.alive()
        assert _listed(lab, "udp", "10.20.0.50")
    lab.host.ip("route", "del", "10.20.0.50")
    lab.apply(world(OUT, WEB))
    assert _listed(lab, "udp", "10.20.0.50") == []


def test_flows_go_with_their_instance_also_when_its_address_stays_and_lets_them_in(lab: Lab) -> None:
    """In one apply: whose the address is changes, and nothing else."""
    lab.apply(ALL)
    heir = instance("heir", "10.20.0.12", ("web",))
    with chatting(lab.outside, lab.guests["b"], "tcp"):
        assert _listed(lab, "tcp")
        lab.apply(document([A, heir, C], [BYSTANDERS, OUT, WEB]))
        assert _listed(lab, "tcp") == []


def test_the_flows_of_a_removed_instance_are_not_its_addresss_next_owners(lab: Lab) -> None:
    """The heir lets nobody in, on any port."""
    lab.apply(ALL)
    heir = instance("heir", "10.20.0.12", ("heirs",))
    after = document([A, heir, C], [BYSTANDERS, OUT, group("heirs")])
    with lab.outside.namespace.socket(socket.SOCK_DGRAM) as client:
        client.connect(("10.20.0.12", 80))
        with lab.guests["b"].listen(80, socket.SOCK_DGRAM) as server:
            server.settimeout(PATIENCE)
            client.send(b"for b")
            server.connect(server.recvfrom(100)[1])
            server.send(b"answer")
            assert client.recv(100) == b"answer"
        lab.apply(after)
        lab.guests.pop("b").namespace.remove()
        lab.add_guest(heir, after.networks)
        with lab.guests["heir"].listen(80, socket.SOCK_DGRAM) as server:
            before = lab.dropped()
            client.send(b"for b")
            server.setblocking(False)
            assert lab.dropped() > before
            with pytest.raises(BlockingIOError):
                server.recv(100)
