"""Rules of a group in the words of the spec."""

from hypothesis import given
from hypothesis import strategies as st

from cloudsync.model.resources import Direction, Rule
from cloudsync.spec.change import Add, Drop
from cloudsync.spec.normal import allowed, normal
from cloudsync.spec.restored import entry, restored

HTTP = Rule(direction=Direction.INGRESS, protocol="tcp", ports=(80, 80))
TLS = Rule(direction=Direction.INGRESS, protocol="tcp", ports=(443, 443))
ALL_OUT = Rule(direction=Direction.EGRESS)
WRITTEN = (("group.web/ingress/0", HTTP), ("group.web/ingress/1", TLS), ("group.web/egress", ALL_OUT))
NOW = normal(rule for _, rule in WRITTEN)


def test_what_is_as_it_should_be_needs_nothing() -> None:
    assert restored("web", WRITTEN, NOW) == ()


def test_one_that_was_taken_away_goes_and_one_that_was_added_comes() -> None:
    more = Rule(direction=Direction.INGRESS, protocol="icmp", icmp=(8, None), remote="192.0.2.0/24")
    target = normal((set(NOW) - {HTTP}) | {more})
    where = ("security_groups", "web", "ingress")
    assert restored("web", WRITTEN, target) == (
        Drop(where, 0),
        Add(where, {"protocol": "icmp", "type": 8, "from": "192.0.2.0/24"}),
    )


def test_the_last_ones_go_first_so_that_numbers_stay_true() -> None:
    edits = restored("web", WRITTEN, (ALL_OUT,))
    assert [one.index for one in edits if isinstance(one, Drop)] == [1, 0]


def test_a_part_of_an_entry_cannot_be_said() -> None:
    """The entry stays, and the caller sees that it is not the target."""
    both = (("group.web/ingress/0", HTTP), ("group.web/ingress/0", TLS))
    assert restored("web", both, (HTTP,)) == ()


def test_entries_are_as_people_write_them() -> None:
    assert entry(ALL_OUT) == {"to": "any"}
    assert entry(Rule(direction=Direction.INGRESS, protocol="47", remote="group.db")) == {
        "protocol": 47,
        "from": "group.db",
    }
    ranged = Rule(direction=Direction.EGRESS, protocol="udp", ports=(1, 9), remote="network.default")
    assert entry(ranged) == {"protocol": "udp", "ports": "1-9", "to": "network.default"}


@given(st.integers(1, 65535), st.integers(1, 65535))
def test_allowed_is_what_adding_it_would_not_change(first: int, second: int) -> None:
    low, high = sorted((first, second))
    rules = (Rule(direction=Direction.INGRESS, protocol="tcp", ports=(low, high)),)
    for port in (low, high, max(1, low - 1), min(65535, high + 1)):
        one = Rule(direction=Direction.INGRESS, protocol="tcp", ports=(port, port))
        assert allowed(normal(rules), one) == (low <= port <= high)
