"""What connections are for, as sets: parts, what two have in common, what one has and another has not."""

from itertools import combinations_with_replacement, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsync.reach.judge import Judgement, Passage
from cloudsync.reach.service import ANY, Service, covered, minus, parse, union
from cloudsync.reach.verdict import outcomes
from cloudsync.spec.rules import RuleError

PACKETS = [
    *(Service(protocol, (port, port)) for protocol in ("tcp", "udp") for port in (1, 2, 3, 4, 65535)),
    *(Service("icmp", None, (kind, code)) for kind in (0, 8) for code in (0, 1)),
    Service("47"),
]
PORTS = st.tuples(st.integers(1, 4), st.integers(1, 4)).map(lambda two: (min(two), max(two)))
SERVICES = st.one_of(
    st.just(ANY),
    st.just(Service("47")),
    st.builds(Service, st.sampled_from(("tcp", "udp")), st.none() | PORTS),
    st.builds(
        Service, st.just("icmp"), st.none(), st.none() | st.tuples(st.sampled_from((0, 8)), st.sampled_from((None, 0)))
    ),
)
LISTS = st.lists(SERVICES, max_size=4).map(tuple)


def packets(services: tuple[Service, ...]) -> set[Service]:
    return {packet for packet in PACKETS if any(one.covers(packet) for one in services)}


@settings(deadline=None)
@given(SERVICES, SERVICES)
def test_meeting_is_intersection(one: Service, other: Service) -> None:
    met = one.meet(other)
    assert packets((met,) if met else ()) == packets((one,)) & packets((other,))
    assert one.meet(other) == other.meet(one)


@settings(deadline=None)
@given(LISTS)
def test_a_union_says_the_same_in_normal_form(services: tuple[Service, ...]) -> None:
    assert packets(union(services)) == packets(services)
    assert union(union(services)) == union(services) == union(tuple(reversed(services)))


@settings(deadline=None)
@given(LISTS, LISTS)
def test_what_is_taken_away_is_gone_and_nothing_that_was_not_there_comes(
    services: tuple[Service, ...], others: tuple[Service, ...]
) -> None:
    left = packets(minus(services, others))
    assert packets(services) - packets(others) <= left <= packets(services)


def test_of_ports_exactly_what_is_left_is_left() -> None:
    """All ways to take one or two ranges from one or two ranges of four ports."""
    ranges = [Service("tcp", (low, high)) for low in range(1, 5) for high in range(low, 5)]
    lists = list(combinations_with_replacement(ranges, 2))
    for services, others in product(lists, lists):
        assert packets(minus(services, others)) == packets(services) - packets(others), (services, others)
    every = (Service("tcp"),)
    assert minus(every, every) == ()
    assert [str(one) for one in minus(every, (Service("tcp", (80, 80)),))] == ["tcp/1-79", "tcp/81-65535"]


@settings(deadline=None)
@given(SERVICES, LISTS)
def test_covered_means_all_of_it(asked: Service, services: tuple[Service, ...]) -> None:
    if covered(asked, services):
        assert packets((asked,)) <= packets(services)
    if any(one.covers(asked) for one in services):
        assert covered(asked, services)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("any", ANY),
        ("TCP/443", Service("tcp", (443, 443))),
        ("udp/8000-8010", Service("udp", (8000, 8010))),
        ("sctp", Service("sctp")),
        ("icmp", Service("icmp")),
        ("icmp/echo-request", Service("icmp", None, (8, None))),
        ("icmp/3.4", Service("icmp", None, (3, 4))),
        ("gre", Service("47")),
        ("6/22", Service("tcp", (22, 22))),
    ],
)
def test_people_write_services(text: str, service: Service) -> None:
    assert parse(text) == service
    assert parse(str(service)) == service


@pytest.mark.parametrize(
    "text", ["", "tcp/", "tcp/0", "tcp/65536", "tcp/9-8", "tpc/1", "47/1", "any/1", "icmp/256", "icmp/8.x", "256"]
)
def test_what_is_no_service_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "single"),
    [
        ("any", False),
        ("tcp", False),
        ("tcp/1", True),
        ("tcp/1-2", False),
        ("icmp", False),
        ("icmp/8", True),
        ("47", True),
    ],
)
def test_a_yes_or_no_answers_for_one_thing(text: str, single: bool) -> None:
    assert parse(text).single is single


def test_of_a_range_what_may_not_pass_is_told_too() -> None:
    passage = Passage(Service("tcp", (5432, 5432)), None, None, True)
    found = outcomes(Judgement((passage,), (), ()), Service("tcp", (5431, 5433)))
    said = {(str(one.service), one.verdict.value) for one in found}
    assert said == {("tcp/5432", "allowed"), ("tcp/5431", "denied"), ("tcp/5433", "denied")}


@pytest.mark.parametrize(
    ("written", "meant"),
    [("tcp:5432", "tcp/5432"), ("udp:53", "udp/53"), ("5432", "tcp/5432"), ("a:b", "tcp/443"), (":80", "tcp/80")],
)
def test_a_port_written_otherwise_is_told_how(written: str, meant: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(written)
    assert f"write {meant}," in caught.value.hint
