"""Protocols as Neutron's API takes them, one by one."""

import pytest

from cloudsync.spec.rules import RuleError, protocol

NEUTRON = {
    "ah": 51, "dccp": 33, "egp": 8, "esp": 50, "gre": 47, "icmp": 1, "igmp": 2, "ipip": 4, "ospf": 89, "pgm": 113,
    "rsvp": 46, "sctp": 132, "tcp": 6, "udp": 17, "udplite": 136, "vrrp": 112,
}  # fmt: skip
NAMED = {"dccp", "icmp", "sctp", "tcp", "udp", "udplite"}
IPV6 = {
    "ipv6-encap": 41, "ipv6-frag": 44, "ipv6-icmp": 58, "icmpv6": 58, "ipv6-nonxt": 59, "ipv6-opts": 60,
    "ipv6-route": 43,
}  # fmt: skip


@pytest.mark.parametrize(("name", "number"), NEUTRON.items())
def test_a_name_and_its_number_are_one_protocol(name: str, number: int) -> None:
    expected = name if name in NAMED else str(number)
    assert protocol(name) == protocol(name.upper()) == protocol(number) == protocol(str(number)) == expected


@pytest.mark.parametrize("written", ["any", "ip", "ANY", 0, "0"])
def test_protocol_0_is_every_protocol(written: str | int) -> None:
    assert protocol(written) == "any"


def test_every_other_number_is_itself() -> None:
    known = {*NEUTRON.values(), *IPV6.values(), 0}
    assert all(protocol(number) == protocol(str(number)) == str(number) for number in set(range(256)) - known)


@pytest.mark.parametrize("written", [*IPV6, *set(IPV6.values()), *map(str, set(IPV6.values())), "hopopt"])
def test_what_only_ipv6_has_is_refused(written: str | int) -> None:
    with pytest.raises(RuleError, match="belongs to IPv6"):
        protocol(written)


@pytest.mark.parametrize("written", [256, -1, "256", "-1", "1.5", "", "tcp ", "99999999999"])
def test_what_is_no_protocol_is_refused(written: str | int) -> None:
    with pytest.raises(RuleError) as caught:
        protocol(written)
    assert caught.value.hint


@pytest.mark.parametrize("written", ["all", "ALL", "*"])
def test_what_means_every_protocol_elsewhere_is_called_by_its_word_here(written: str) -> None:
    with pytest.raises(RuleError) as caught:
        protocol(written)
    assert caught.value.hint == 'did you mean "any"?'
