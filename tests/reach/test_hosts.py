"""A host's own addresses as an end of a question: what it sends, what is sent to it, what a spec cannot know of it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.ruleset import Rule, Ruleset
from cloudsync.agent.firewall.trace import rulings
from cloudsync.model.cloud import Cloud, Expectation, Host, Where
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.ruling import Ruling
from cloudsync.reach.ask import Answer, Pair, ask
from cloudsync.reach.expect import check
from cloudsync.reach.live import live
from cloudsync.reach.question import Question
from cloudsync.reach.service import parse
from cloudsync.reach.wanted import of_cloud
from cloudsync.render.reach_text import text
from tests.firewall.documents import DEFAULT, document, egress, group, ingress
from tests.firewall.documents import instance as placed
from tests.planner.build import cloud, instance
from tests.reach.worlds import INFRA, world

FIRST, SECOND = INFRA
WALLS = (DEFAULT, group("web", ingress("any", "tcp", (80, 80)), egress()))
GROUPS = {one.name: one for one in WALLS}
WEB, DB = placed("web", "10.20.0.11", ("web",)), placed("db", "10.20.0.12", ("web",))


def spec(*addresses: str, fabric: str = "direct", bound: bool = True) -> Cloud:
    """As many hosts, with web on the first and db on the last; `bound` to them."""
    names = [f"kvm-{number}" for number in range(1, len(addresses) + 1)]
    hosts = [Host(name=name, uri="sim:", address=one or None) for name, one in zip(names, addresses, strict=True)]
    homes = {"web": names[0], "db": names[-1]}
    there = [
        instance(name, groups=("web",), where=Where(host=home if bound else None), address=address)
        for (name, home), address in zip(homes.items(), ("10.20.0.11", "10.20.0.12"), strict=True)
    ]
    return cloud(*there, hosts=hosts, groups=GROUPS, fabric=fabric)


def told(whole: Cloud, source: str, target: str, service: str) -> Pair:
    (pair,) = ask(whole, of_cloud(whole), source, target, parse(service)).pairs
    return pair


def test_a_host_is_meant_by_its_name() -> None:
    whole = spec("198.51.100.11", "")
    assert told(whole, "web", "host.kvm-1", "tcp/22") == told(whole, "web", "198.51.100.11", "tcp/22")
    with pytest.raises(CloudsyncError, match=r"no address of host\.kvm-2 is known"):
        told(whole, "web", "host.kvm-2", "tcp/22")
    with pytest.raises(CloudsyncError, match='there is no host "kvm-9"'):
        told(whole, "web", "host.kvm-9", "tcp/22")


def asked_live(
    whole: Cloud, documents: tuple[HostDocument, ...], words: tuple[str, str, str], kernel: Mapping[str, Ruleset]
) -> Answer:
    held = {one.host: compile_document(one, 8775) for one in documents}
    local = dict(zip(("kvm-1", "kvm-2"), INFRA, strict=True))
    by_name = {one.host: one for one in documents}

    def enquire(host: str, asked: Question) -> tuple[Ruling, ...]:
        found = {**held, **kernel}[host]
        return rulings(found, by_name[host], asked, frozenset({local[host], "10.20.0.1"}), held[host])

    return live(whole, by_name, words[:2], parse(words[2]), enquire)


def two(fabric: str) -> tuple[HostDocument, ...]:
    return tuple(replace(one, fabric=fabric) for one in world([WEB], [DB], WALLS).hosts)


@pytest.mark.parametrize(
    ("words", "direct", "vxlan"),
    [
        ((FIRST, "web", "tcp/22"), "allowed", "allowed"),  # its own guest
        ((FIRST, "db", "tcp/22"), "denied", "denied"),  # another host's: by its groups
        ((FIRST, "db", "tcp/80"), "allowed", "denied"),  # the tunnel takes packets of guests only
        ((SECOND, "db", "tcp/22"), "allowed", "allowed"),
        ((FIRST, "web", "icmp/redirect"), "denied", "denied"),
        (("10.20.0.1", "web", "tcp/22"), "allowed", "allowed"),
        (("10.20.0.1", "web", "icmp/redirect"), "denied", "denied"),
        (("web", FIRST, "tcp/22"), "denied", "denied"),
        (("web", SECOND, "tcp/80"), "denied", "denied"),
    ],
)
def test_spec_and_kernel_agree_on_a_hosts_own_address(words: tuple[str, str, str], direct: str, vxlan: str) -> None:
    for fabric, verdict in (("direct", direct), ("vxlan", vxlan)):
        whole = spec(FIRST, SECOND, fabric=fabric)
        pair = told(whole, *words)
        assert pair.verdict == verdict, (fabric, pair.because)
        (seen,) = asked_live(whole, two(fabric), words, {}).pairs
        assert (seen.verdict, seen.spec) == (verdict, verdict), (fabric, seen.because)


def test_the_sentences_say_why() -> None:
    whole = spec(FIRST, SECOND, fabric="vxlan")
    assert told(whole, FIRST, "web", "tcp/22").because == "what a host itself sends to its guests is not filtered"
    assert "a host itself reaches its own instances only" in told(whole, FIRST, "db", "tcp/80").because
    (seen,) = asked_live(whole, two("vxlan"), (FIRST, "web", "tcp/22"), {}).pairs
    assert seen.because == "on kvm-1: what a host itself sends is not filtered"


@pytest.mark.parametrize("source", [FIRST, "10.20.0.1"])
def test_what_somebody_put_in_the_hosts_own_way_shows(source: str) -> None:
    (first, _) = two("direct")
    ruleset = compile_document(first, 8775)
    table = ruleset.tables["inet"]
    cut = replace(table.chains["output"], rules=(Rule(("tcp dport 22", "drop"), handle=7),))
    tampered = replace(
        ruleset, tables={**ruleset.tables, "inet": replace(table, chains={**table.chains, "output": cut})}
    )
    whole = spec(FIRST, SECOND)
    (pair,) = asked_live(whole, two("direct"), (source, "web", "tcp/22"), {"kvm-1": tampered}).pairs
    assert (pair.verdict, pair.spec) == ("denied", "allowed")
    assert "delete rule inet cloudsync output handle 7" in pair.because


def test_what_depends_on_where_an_instance_will_be_says_so() -> None:
    whole = spec(FIRST, SECOND, bound=False)
    assert told(whole, FIRST, "web", "tcp/80").verdict == "allowed"
    vague = told(whole, FIRST, "web", "tcp/22")
    assert vague.verdict == "depends"
    assert "depends on the host that it is on" in vague.because
    tunnelled = told(replace(whole, fabric="vxlan"), FIRST, "web", "tcp/80")
    assert tunnelled.verdict == "depends"
    listed = ask(whole, of_cloud(whole), FIRST, "web", parse("any")).pairs
    assert [(str(one.service), one.verdict.value) for one in listed] == [("tcp/80", "allowed"), ("any", "depends")]


def test_instances_of_one_kind_on_two_hosts_are_told_apart() -> None:
    whole = spec(FIRST, SECOND)
    found = ask(whole, of_cloud(whole), FIRST, "group.web", parse("tcp/22")).pairs
    assert {one.target: one.verdict.value for one in found} == {"instance.web": "allowed", "instance.db": "denied"}
    claim = Expectation(key="", allow=False, source=FIRST, target="group.web", protocol="tcp", port=22)
    (checked,) = check(replace(whole, expectations=(claim,)), of_cloud(whole))
    assert not checked.holds
    assert "what a host itself sends" in checked.because


@pytest.mark.parametrize("words", [("web", FIRST, "tcp/22"), ("web", "203.0.113.7", "any"), (FIRST, "web", "tcp/22")])
def test_an_address_that_may_be_a_hosts_is_taken_for_one_outside_and_that_is_said(words: tuple[str, str, str]) -> None:
    pair, sure = told(spec(""), *words), told(spec("198.51.100.99"), *words)
    assert pair.verdict == sure.verdict == ("denied" if words[0] == FIRST else "allowed")
    assert "is an address of host.kvm-1, which the spec does not say" in pair.because
    assert "write  address:  into the host" in pair.because
    assert "unless" not in sure.because


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ((FIRST, "web", "tcp/80"), "allowed"),
        (("web", FIRST, "udplite/9"), "denied"),
        (("web", "internet", "tcp/443"), "allowed"),
        (("internet", "web", "tcp/22"), "denied"),
        (("web", "203.0.113.0/24", "tcp/443"), "allowed"),
    ],
)
def test_nothing_is_said_of_what_is_so_whoever_has_the_address(words: tuple[str, str, str], verdict: str) -> None:
    pair = told(spec(""), *words)
    assert (pair.verdict, "unless" in pair.because) == (verdict, False)


@pytest.mark.parametrize(
    ("words", "verdict"), [(("web", FIRST, "tcp/22"), "denied"), ((FIRST, "web", "tcp/22"), "allowed")]
)
def test_the_kernel_knows_an_address_that_the_spec_does_not_say(words: tuple[str, str, str], verdict: str) -> None:
    """And what the spec cannot know is no difference from it."""
    alone = document([WEB, DB], WALLS)
    found = asked_live(spec(""), (alone,), words, {})
    (pair,) = found.pairs
    assert (pair.verdict, pair.spec) == (verdict, "depends")
    assert "the spec says" not in text(found, colour=False)
