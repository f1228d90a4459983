"""Wide questions say what many narrow ones do, and expectations what `reach` answers."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsync.model.cloud import Cloud, Expectation
from cloudsync.reach.ask import ask, couples, told
from cloudsync.reach.encounter import encounters
from cloudsync.reach.ends import end, party_at
from cloudsync.reach.expect import check
from cloudsync.reach.recorded import of_documents
from cloudsync.reach.scene import Scene
from cloudsync.reach.service import ANY, Service, parse
from cloudsync.reach.verdict import Verdict
from tests.effort import tries
from tests.planner.build import cloud, instance
from tests.reach.worlds import OUTSIDE, World, worlds

PACKETS = [parse(text) for text in ("tcp/22", "tcp/80", "tcp/443", "udp/67", "icmp/8.0", "icmp/3.4", "47")]
ENDS = ("group.web", "group.db", "network.default", "internet", "10.20.0.0/16", "192.0.2.0/24", "instance.a", "any")


def spec(found: World) -> Cloud:
    """A spec that knows the world's names: all that is asked of it."""
    names = {*found.instances, "a"}
    return replace(cloud(*(instance(name) for name in names)), groups=dict(found.hosts[0].groups))


@settings(deadline=None, max_examples=tries(60))
@given(st.data())
def test_what_is_listed_is_what_is_allowed_one_by_one(data: st.DataObject) -> None:
    found = data.draw(worlds())
    scene = of_documents(found.hosts, {})
    ours = sorted(scene.at)
    for one in ours:
        for other in (*ours, *OUTSIDE, "10.20.0.1", "169.254.169.254", "198.51.100.11"):
            for source, target in ((one, other), (other, one)):
                listed = allowed(scene, source, target, ANY)
                for packet in PACKETS:
                    single = bool(allowed(scene, source, target, packet))
                    assert any(service.covers(packet) for service in listed) is single, (source, target, str(packet))


def allowed(scene: Scene, source: str, target: str, asked: Service) -> list[Service]:
    here, there = party_at(source, scene), party_at(target, scene)
    met = encounters(scene, here, there, asked)
    return [pair.service for pair in told(cloud(), scene, here, there, met) if pair.verdict is Verdict.ALLOWED]


@settings(deadline=None, max_examples=tries(60))
@given(st.data())
def test_those_of_a_kind_are_told_what_each_alone_is(data: st.DataObject) -> None:
    found = data.draw(worlds())
    scene, whole = of_documents(found.hosts, {}), spec(found)
    for _ in range(6):
        source, target = data.draw(st.sampled_from(ENDS)), data.draw(st.sampled_from(ENDS[:3]))
        asked = data.draw(st.sampled_from((ANY, *PACKETS[:3])))
        each = (
            pair
            for one, other in couples(end(source, whole, scene), end(target, whole, scene))
            for pair in told(whole, scene, one, other, encounters(scene, one, other, asked))
        )
        assert ask(whole, scene, source, target, asked).pairs == tuple(each)


@settings(deadline=None, max_examples=tries(60))
@given(st.data())
def test_an_expectation_holds_when_every_pair_is_as_it_says(data: st.DataObject) -> None:
    found = data.draw(worlds())
    scene, whole = of_documents(found.hosts, {}), spec(found)
    for _ in range(6):
        source, target = data.draw(st.sampled_from(ENDS)), data.draw(st.sampled_from(ENDS[:3] + ENDS[4:5]))
        packet = data.draw(st.sampled_from(PACKETS[:3]))
        port = packet.ports[0] if packet.ports else None
        claims = [
            Expectation(key="", allow=allow, source=source, target=target, protocol="tcp", port=port)
            for allow in (True, False)
        ]
        pairs = ask(whole, scene, source, target, packet).pairs
        must, must_not = check(replace(whole, expectations=tuple(claims)), scene)
        assert must.holds is all(pair.verdict is Verdict.ALLOWED for pair in pairs), (source, target, pairs, must)
        assert must_not.holds is all(pair.verdict is Verdict.DENIED for pair in pairs), (
            source,
            target,
            pairs,
            must_not,
        )
