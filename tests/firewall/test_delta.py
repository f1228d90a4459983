"""What travels to the kernel for a change, without a kernel."""

from dataclasses import replace

from cloudsync.agent.firewall import names
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.delta import delta
from cloudsync.agent.firewall.ruleset import Base, Chain, Container, Ruleset, Table
from cloudsync.model.document import HostDocument
from tests.firewall.documents import DEFAULT, document, group, ingress, instance, sample

A, B = instance("a", "10.20.0.2"), instance("b", "10.20.0.3")


def compiled(found: HostDocument) -> Ruleset:
    return compile_document(found, 8775)


def script(old: HostDocument, new: HostDocument) -> list[str]:
    return delta(compiled(old), compiled(new)).splitlines()


def test_a_new_member_is_one_element() -> None:
    old = document([A])
    new = document([A], elsewhere=[instance("far", "10.20.9.9")])
    assert script(old, new) == [
        f"add element inet cloudsync {names.members('group.default')} {{ 10.20.9.9 }}",
    ]


def test_a_changed_rule_rewrites_its_group_only() -> None:
    old = document([replace(A, groups=("default", "web"))], [DEFAULT, group("web", ingress("any", "tcp", (80, 80)))])
    new = document([replace(A, groups=("default", "web"))], [DEFAULT, group("web", ingress("any", "tcp", (81, 81)))])
    chain = f"gi_{names.identifier('web')}"
    assert script(old, new) == [
        f"flush chain inet cloudsync {chain}",
        f'add rule inet cloudsync {chain} tcp dport 81 counter accept comment "group.web tcp/81 from any"',
    ]


def test_a_rule_behind_all_others_is_put_there_and_one_among_them_has_all_written_anew() -> None:
    """Freeing thirty rules takes the kernel longer than taking one in."""
    rules = [ingress("any", "tcp", (port, port)) for port in (80, 81, 82)]
    first, last, whole = (
        document([replace(A, groups=("web",))], [group("web", *some)]) for some in (rules[:2], rules[::2], rules)
    )
    chain = f"gi_{names.identifier('web')}"
    assert script(first, whole) == [
        f'add rule inet cloudsync {chain} tcp dport 82 counter accept comment "group.web tcp/82 from any"'
    ]
    assert script(last, whole)[0] == script(whole, last)[0] == f"flush chain inet cloudsync {chain}"


def test_an_instance_that_goes_takes_elements_before_chains() -> None:
    tap = B.nics[0].tap
    found = script(document([A, B]), document([A]))
    deletions = [line for line in found if line.startswith("delete")]
    assert f"delete element inet cloudsync egress {{ {tap} }}" in found
    assert deletions.index(f"delete element inet cloudsync egress {{ {tap} }}") < deletions.index(
        f"delete chain inet cloudsync pe_{tap}"
    )


def test_nothing_in_use_is_deleted_and_made_anew() -> None:
    found = script(sample(), document([A, B]))
    deleted = {tuple(line.split()[1:5]) for line in found if line.startswith("delete") and "element" not in line}
    added = {tuple(line.split()[1:5]) for line in found if line.startswith("add") and "element" not in line}
    assert not deleted & added
    assert not any("delete table" in line for line in found)


def test_a_missing_table_is_loaded_whole() -> None:
    wanted = compiled(sample())
    half = Ruleset({"inet": wanted.tables["inet"]})
    lines = delta(half, wanted).splitlines()
    assert lines[0] == "add table arp cloudsync"
    assert all(" arp cloudsync" in line for line in lines)


def test_what_is_not_ours_goes() -> None:
    wanted = compiled(document([A]))
    inet = wanted.tables["inet"]
    tampered = Table(
        {**inet.containers, "evil": Container(("ipv4_addr",), elements={"10.9.9.9": ""})},
        {**inet.chains, "trap": Chain((), Base("filter", "forward", -20))},
        frozenset({("counter", "spy")}),
    )
    lines = delta(Ruleset({**wanted.tables, "inet": tampered}), wanted).splitlines()
    assert lines == [
        "flush chain inet cloudsync trap",
        "flush set inet cloudsync evil",
        "delete chain inet cloudsync trap",
        "delete set inet cloudsync evil",
        "delete counter inet cloudsync spy",
    ]
