"""The model, and what the compiled ruleset does with a packet, never differ."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.trace import rulings
from cloudsync.reach.encounter import encounters
from cloudsync.reach.ends import Sort, party_at
from cloudsync.reach.question import Question
from cloudsync.reach.recorded import of_document, of_documents
from cloudsync.reach.scene import Scene
from cloudsync.reach.service import parse
from cloudsync.reach.verdict import Verdict
from tests.effort import tries
from tests.reach.worlds import INFRA, World, packets, worlds

SENT = ("tcp/22", "tcp/80", "tcp/443", "udp/53", "icmp/8.0", "icmp/5.0", "sctp/80", "udplite/80", "47")
GATEWAYS = {"10.20.0.1", "10.30.0.1"}


def forwarded(world: World, packet: Question) -> bool:
    """Whether the compiled rules of both hosts let it pass; each host's own address is its underlay's."""
    said = []
    for number, host in enumerate(world.hosts):
        local = frozenset(GATEWAYS | {f"198.51.100.{11 + number}"})
        ends = {nic.address for one in host.instances.values() for nic in one.nics}
        if ends & {packet.source, packet.target}:
            (ruling,) = rulings(compile_document(host, 8775), host, packet, local)
            assert ruling.allowed is not None, ruling.why
            said.append(ruling.allowed)
    return all(said)


def modelled(scene: Scene, packet: Question) -> bool | None:
    """None where no rule is asked: nobody has the address."""
    here, there = party_at(packet.source, scene), party_at(packet.target, scene)
    if Sort.NOBODY in (here.sort, there.sort):
        return None
    (met,) = encounters(scene, here, there, packet.services[0])
    (outcome,) = met.outcomes
    assert outcome.verdict is not Verdict.DEPENDS
    return outcome.verdict is Verdict.ALLOWED


@settings(deadline=None, max_examples=tries(60))
@given(st.data())
def test_packets_meet_the_verdict_that_the_model_gives(data: st.DataObject) -> None:
    world = data.draw(worlds())
    scene = of_documents(world.hosts, {})
    for _ in range(8):
        packet = data.draw(packets(world))
        said = modelled(scene, packet)
        if said is not None and packet.source != packet.target:
            assert forwarded(world, packet) is said, packet


@settings(deadline=None, max_examples=tries(60))
@given(st.data())
def test_what_a_host_itself_sends_is_told_by_where_the_instance_is(data: st.DataObject) -> None:
    fabric = data.draw(st.sampled_from(("direct", "vxlan")))
    drawn = data.draw(worlds())
    world = World((replace(drawn.hosts[0], fabric=fabric), replace(drawn.hosts[1], fabric=fabric)))
    scene = of_documents(world.hosts, {})
    for address in sorted(scene.at):
        source = data.draw(st.sampled_from((*INFRA, *sorted(GATEWAYS))))
        packet = Question(source, address, (parse(data.draw(st.sampled_from(SENT))),))
        assert forwarded(world, packet) is modelled(scene, packet), packet


@settings(deadline=None, max_examples=tries(60))
@given(st.data())
def test_what_eviction_asks_is_what_one_hosts_rules_do(data: st.DataObject) -> None:
    world = data.draw(worlds())
    host = world.hosts[0]
    scene, ruleset = of_document(host), compile_document(host, 8775)
    for _ in range(8):
        packet = data.draw(packets(world))
        built_in = packet.target in {*GATEWAYS, "169.254.169.254"}
        if built_in or not {packet.source, packet.target} & set(scene.at):
            continue
        said = scene.permits(packet.source, packet.target, packet.services[0])
        (ruling,) = rulings(ruleset, host, packet, frozenset())
        assert ruling.allowed is said, (packet, ruling)
