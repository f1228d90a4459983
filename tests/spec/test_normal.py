"""Rules in normal form: what is allowed stays the same, and how it was said leaves no trace."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsync.model.resources import Direction, Rule
from cloudsync.spec.normal import normal
from tests.effort import tries

IN = Direction.INGRESS
REMOTES = ("any", "10.0.0.0/30", "10.0.0.0/31", "10.0.0.2/31", "10.0.0.1/32", "group.a", "group.b")
PORTS = (1, 2, 3, 4, 5, 65534, 65535)
# Who can be met: an address inside some of the prefixes or none, in group a, in both, or in none.
ENDS = tuple(
    product(("10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.1"), ((), ("group.a",), ("group.a", "group.b")))
)

spans = st.none() | st.tuples(st.sampled_from(PORTS), st.sampled_from(PORTS)).map(lambda pair: (min(pair), max(pair)))
types = st.none() | st.tuples(st.sampled_from((0, 8)), st.none() | st.sampled_from((0, 1)))
rules = st.one_of(
    st.builds(Rule, direction=st.just(IN), protocol=st.just("tcp"), ports=spans, remote=st.sampled_from(REMOTES)),
    st.builds(Rule, direction=st.just(IN), protocol=st.just("icmp"), icmp=types, remote=st.sampled_from(REMOTES)),
    st.builds(Rule, direction=st.just(IN), protocol=st.sampled_from(("any", "47")), remote=st.sampled_from(REMOTES)),
)
rule_sets = st.lists(rules, max_size=7)


def meets(remote: str, address: str, groups: tuple[str, ...]) -> bool:
    if remote[0].isdigit():
        return IPv4Address(address) in IPv4Network(remote)
    return remote == "any" or remote in groups


def allows(rule: Rule, protocol: str, port: int, icmp: tuple[int, int]) -> bool:
    if rule.protocol == "any":
        return True
    if rule.protocol != protocol:
        return False
    if protocol == "tcp":
        return rule.ports is None or rule.ports[0] <= port <= rule.ports[1]
    if protocol == "icmp" and rule.icmp is not None:
        return rule.icmp[0] == icmp[0] and rule.icmp[1] in (None, icmp[1])
    return True


def permissions(given_rules: tuple[Rule, ...] | list[Rule]) -> set[tuple[object, ...]]:
    """Every packet of a small world that some rule lets in: the meaning of the rules."""
    packets = [("tcp", port, (0, 0)) for port in (*PORTS, 100)]
    packets += [("icmp", 0, (kind, code)) for kind in (0, 8, 9) for code in (0, 1, 2)]
    packets += [("47", 0, (0, 0)), ("50", 0, (0, 0))]
    return {
        (packet, end)
        for packet in packets
        for end in ENDS
        if any(allows(rule, *packet) and meets(rule.remote, *end) for rule in given_rules)
    }


@given(rule_sets)
def test_the_meaning_is_kept(given_rules: list[Rule]) -> None:
    assert permissions(normal(given_rules)) == permissions(given_rules)


@given(rule_sets, st.randoms())
def test_order_and_repetition_leave_no_trace(given_rules: list[Rule], random: object) -> None:
    shuffled = given_rules + given_rules[:2]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert normal(shuffled) == normal(given_rules)


@given(rule_sets)
def test_normal_form_is_its_own(given_rules: list[Rule]) -> None:
    found = normal(given_rules)
    assert normal(found) == found
    assert list(found) == sorted(set(found), key=Rule.key)


@settings(max_examples=tries(300))
@given(rule_sets, rule_sets)
def test_same_meaning_same_rules(one: list[Rule], other: list[Rule]) -> None:
    """Told packet by packet, the rules are found again: equal permissions, equal normal form."""
    assert (normal(one) == normal(other)) == (exact(one) == exact(other))
    assert normal(split(one)) == normal(one)


def exact(given_rules: list[Rule]) -> set[tuple[object, ...]]:
    """The permissions for addresses and for each group on its own: a group is not known to lie in a prefix."""
    packets = [("tcp", port, (0, 0)) for port in (*PORTS, 6, 100, 65533)]
    packets += [("icmp", 0, (kind, code)) for kind in (0, 8, 9) for code in (0, 1, 2)]
    packets += [("47", 0, (0, 0)), ("50", 0, (0, 0))]
    ends: list[tuple[str, tuple[str, ...]]] = [
        (address, ()) for address in ("10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.1")
    ]
    ends += [("192.0.2.1", ("group.a",)), ("192.0.2.1", ("group.b",))]
    return {
        (packet, end)
        for packet in packets
        for end in ends
        if any(allows(rule, *packet) and meets(rule.remote, *end) for rule in given_rules)
    }


def split(given_rules: list[Rule]) -> list[Rule]:
    """The same, each range of ports cut in two, and each prefix too."""
    found = []
    for rule in given_rules:
        if rule.protocol != "tcp":
            found += [replace(rule, remote=half) for half in halves(rule.remote)]
            continue
        first, last = rule.ports or (1, 65535)
        middle = (first + last) // 2
        pieces = [(first, middle), (middle + 1, last)] if first < last else [(first, last)]
        found += [replace(rule, ports=piece, remote=half) for piece in pieces for half in halves(rule.remote)]
    return found


def halves(remote: str) -> list[str]:
    whole = "0.0.0.0/0" if remote == "any" else remote
    if not whole[0].isdigit() or whole.endswith("/32"):
        return [remote]
    return [str(half) for half in IPv4Network(whole).subnets()]


def tcp(first: int, last: int, remote: str = "any") -> Rule:
    return Rule(direction=IN, protocol="tcp", ports=(first, last), remote=remote)


def test_examples() -> None:
    assert normal([tcp(80, 80), tcp(81, 90), tcp(85, 100)]) == (tcp(80, 100),)
    assert normal([tcp(1, 65535)]) == (Rule(direction=IN, protocol="tcp"),)
    assert normal([tcp(80, 80, "10.0.0.0/25"), tcp(80, 80, "10.0.0.128/25")]) == (tcp(80, 80, "10.0.0.0/24"),)
    assert normal([Rule(direction=IN), tcp(80, 80), tcp(22, 22, "group.a")]) == (Rule(direction=IN),)
    assert normal([Rule(direction=IN), Rule(direction=Direction.EGRESS)]) == (
        Rule(direction=Direction.EGRESS),
        Rule(direction=IN),
    )


def test_a_wider_rule_parts_no_other() -> None:
    """What is written stays as it is written where that is possible: a plan shows these."""
    assert normal([tcp(22, 22), tcp(20, 25, "group.a")]) == (tcp(20, 25, "group.a"), tcp(22, 22))
    assert normal([tcp(1, 90, "10.0.0.0/25"), tcp(80, 80, "10.0.0.0/24")]) == (
        tcp(1, 90, "10.0.0.0/25"),
        tcp(80, 80, "10.0.0.0/24"),
    )
    assert normal([tcp(80, 80, "group.a"), tcp(81, 90)]) == (tcp(80, 80, "group.a"), tcp(81, 90))
    assert normal([tcp(80, 85, "group.a"), tcp(83, 90)]) == (tcp(80, 82, "group.a"), tcp(83, 90))
    assert normal([tcp(22, 22, "group.a"), tcp(25, 25, "group.a"), tcp(23, 23)]) == (
        tcp(22, 22, "group.a"),
        tcp(23, 23),
        tcp(25, 25, "group.a"),
    )


def test_a_wider_rule_takes_whole_halves_of_a_prefix() -> None:
    upper, lower = tcp(80, 80, "10.0.0.128/25"), Rule(direction=IN, remote="10.0.0.0/25")
    assert set(normal([upper, lower])) == set(normal([tcp(80, 80, "10.0.0.0/24"), lower])) == {upper, lower}
    one, all_of_it = Rule(direction=IN, remote="10.1.2.3/32"), tcp(80, 80, "10.0.0.0/8")
    assert set(normal([one, all_of_it])) == {one, all_of_it}
