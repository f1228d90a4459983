"""What must be true of any set of rules: they only allow, their order means nothing, both sides must agree."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsync.model.document import HostDocument
from cloudsync.model.resources import Group, Rule
from cloudsync.reach.judge import Side, judge
from cloudsync.reach.recorded import of_document
from cloudsync.reach.service import ANY, Service, union
from cloudsync.spec.normal import normal
from tests.effort import tries
from tests.reach.worlds import packets, rules, worlds

LAW = settings(deadline=None, max_examples=tries(50))


def with_rules(document: HostDocument, name: str, found: tuple[Rule, ...]) -> HostDocument:
    return replace(document, groups={**document.groups, name: Group(name=name, rules=found)})


@LAW
@given(st.data())
def test_another_rule_never_takes_anything_away(data: st.DataObject) -> None:
    world = data.draw(worlds())
    host = world.hosts[0]
    more = with_rules(host, "web", (*host.groups["web"].rules, data.draw(rules())))
    members = {
        **host.members,
        **{rule.remote: () for rule in more.groups["web"].rules if rule.remote not in host.members},
    }
    wider = of_document(replace(more, members=members))
    before = of_document(host)
    for one in (data.draw(packets(world)) for _ in range(8)):
        if before.permits(one.source, one.target, one.services[0]):
            assert wider.permits(one.source, one.target, one.services[0]), one


@LAW
@given(st.data())
def test_order_repetition_and_normal_form_mean_nothing(data: st.DataObject) -> None:
    world = data.draw(worlds())
    host = world.hosts[0]
    mixed, tidy = host, host
    for name, group in host.groups.items():
        mixed = with_rules(mixed, name, (*data.draw(st.permutations(group.rules)), *group.rules))
        # The normal form is about what a spec can say: IPv4 only.
        tidy = with_rules(tidy, name, normal(rule for rule in group.rules if ":" not in rule.remote))
    before, other, normalised = (of_document(one) for one in (host, mixed, tidy))
    for one in (data.draw(packets(world)) for _ in range(8)):
        said = before.permits(one.source, one.target, one.services[0])
        assert other.permits(one.source, one.target, one.services[0]) is said
        assert normalised.permits(one.source, one.target, one.services[0]) is said


@LAW
@given(st.data())
def test_what_may_pass_is_what_both_sides_alone_would_let_pass(data: st.DataObject) -> None:
    scene = of_document(data.draw(worlds()).hosts[0])
    for source in scene.ports:
        for target in scene.ports:
            asked = data.draw(st.sampled_from((ANY, Service("tcp"), Service("tcp", (80, 80)), Service("icmp"))))
            found = judge((Side(source.spot, source),), (Side(target.spot, target),), asked)
            both = tuple(met for sent in found.sent for taken in found.taken if (met := sent.meet(taken)))
            assert union(tuple(passage.service for passage in found.passages)) == union(both)
            alone = judge((Side(source.spot, source),), (Side(target.spot),), asked)
            assert alone.sent == found.sent
            assert alone.taken == (asked,)
