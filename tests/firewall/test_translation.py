"""Both directions of nft's language, on what a real nft printed."""

import json
from pathlib import Path

from cloudsync.agent.firewall.compare import differences
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.delta import delta
from cloudsync.agent.firewall.read import read_table
from cloudsync.agent.firewall.render import render
from cloudsync.agent.firewall.ruleset import FAMILIES, Rule, Ruleset
from tests.firewall.documents import sample

RECORDINGS = Path(__file__).parent / "recordings" / "nft-1.0.6"


def recorded() -> Ruleset:
    return Ruleset({family: read_table((RECORDINGS / f"{family}.json").read_text()) for family in FAMILIES})


def test_what_nft_lists_is_what_was_compiled() -> None:
    wanted = compile_document(sample(), 8775)
    assert differences(wanted, recorded()) == ()
    assert recorded() == wanted


def test_rendering_what_was_read_renders_the_same() -> None:
    assert sorted(render(recorded()).splitlines()) == sorted(render(compile_document(sample(), 8775)).splitlines())


def test_equal_rulesets_need_no_script() -> None:
    assert delta(recorded(), compile_document(sample(), 8775)) == ""


def test_generated_rules_hold_no_anonymous_sets() -> None:
    for line in render(compile_document(sample(), 8775)).splitlines():
        assert not (line.startswith("add rule") and "{" in line)


def test_an_expression_nobody_here_writes_is_read_as_foreign() -> None:
    listing = json.loads((RECORDINGS / "inet.json").read_text())
    strange = [{"match": {"op": "<", "left": {"meta": {"key": "length"}}, "right": 100}}, {"accept": None}]
    at = {"family": "inet", "table": "cloudsync", "chain": "forward_to", "handle": 999, "expr": strange}
    table = read_table(json.dumps({"nftables": [*listing["nftables"], {"rule": at}]}))
    foreign = table.chains["forward_to"].rules[-1]
    assert isinstance(foreign, Rule)
    assert foreign.parts[0].startswith('{"match"')


def test_objects_of_other_kinds_are_seen() -> None:
    counter = {"counter": {"family": "inet", "table": "cloudsync", "name": "spy", "handle": 1}}
    assert read_table(json.dumps({"nftables": [counter]})).others == {("counter", "spy")}


def test_a_set_with_a_timeout_is_not_ours() -> None:
    body = {"family": "inet", "table": "cloudsync", "name": "infra4", "type": "ipv4_addr", "handle": 1, "timeout": 60}
    assert read_table(json.dumps({"nftables": [{"set": body}]})).containers["infra4"].extras == ("timeout=60",)
