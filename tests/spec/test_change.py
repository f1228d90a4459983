"""One value in the text of a spec: it is what changes, wherever and however the rest is written."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsync.model.problem import SpecError
from cloudsync.spec.change import Add, Drop, Edit, Put, changed, flow
from cloudsync.spec.document import parse

BLOCK = """\
# a head
flavors:
  small: {vcpus: 1, memory: 512MiB, disk: 4GiB}   # the usual

security_groups:
  web:
    ingress:
      # for all
      - {protocol: tcp, ports: 80, from: any}  # plain
      - protocol: tcp
        ports: 443
        from: any
instances:
  web:
    image: blank
    flavor: small   # for now
    user_data: |
      #cloud-config

      a: b
"""
FLOW = """\
flavors: {small: {vcpus: 1, memory: 512MiB, disk: 4GiB}}
security_groups: {web: {ingress: [{protocol: tcp, ports: 80, from: any}, {protocol: tcp, ports: 443, from: any}]}}
instances: {web: {image: blank, flavor: small}}
"""
RULE = {"protocol": "udp", "ports": "8000-8010", "from": "192.0.2.0/24"}
RULES = ("security_groups", "web", "ingress")
EDITS: dict[str, Edit] = {
    "another flavor": Put(("instances", "web"), "flavor", "large"),
    "a state": Put(("instances", "web"), "state", "stopped", after="flavor"),
    "a new flavor": Put(("flavors",), "small-2x1GiB", {"vcpus": 2, "memory": "1GiB", "disk": "4GiB"}),
    "one more rule": Add(RULES, RULE),
    "the first rule less": Drop(RULES, 0),
    "the last rule less": Drop(RULES, 1),
    "rules the other way": Add(("security_groups", "web", "egress"), {"to": "any"}),
}


def edited(text: str, edit: Edit, end: str = "\n") -> str:
    return changed(parse("cloud.yaml", text.replace("\n", end).encode()), edit).text


@pytest.mark.parametrize(("name", "text", "end"), [*product(EDITS, (BLOCK, FLOW), ("\n", "\r\n"))])
def test_all_else_stays_to_the_byte(name: str, text: str, end: str) -> None:
    """Every line that is gone or new has to do with it."""
    before, after = text.splitlines(), edited(text, EDITS[name], end).splitlines()
    assert [line for line in before if line.startswith("#")] == [line for line in after if line.startswith("#")]
    if text is BLOCK:
        gone = [line for line in before if line not in after]
        assert len(gone) == {"another flavor": 1, "the first rule less": 1, "the last rule less": 3}.get(name, 0)
    assert edited(text, EDITS[name], end).count("\r") == (0 if end == "\n" else len(after))


def test_where_it_is_put() -> None:
    after = edited(BLOCK, EDITS["a state"])
    assert "    flavor: small   # for now\n    state: stopped\n    user_data: |\n" in after
    assert "flavor: large   # for now\n" in edited(BLOCK, EDITS["another flavor"])
    assert "  # the usual\n  small-2x1GiB: {vcpus: 2, memory: 1GiB, disk: 4GiB}\n\n" in edited(
        BLOCK, EDITS["a new flavor"]
    )
    assert "from: any\n      - {protocol: udp, ports: 8000-8010, from: 192.0.2.0/24}\ninst" in edited(
        BLOCK, EDITS["one more rule"]
    )
    assert "web: {image: blank, flavor: small, state: stopped}" in edited(FLOW, EDITS["a state"])


@pytest.mark.parametrize("text", [BLOCK, FLOW])
def test_the_last_item_leaves_an_empty_list(text: str) -> None:
    document = changed(parse("cloud.yaml", text.encode()), Drop(RULES, 0))
    document = changed(document, Drop(RULES, 0))
    assert document.root["security_groups"]["web"]["ingress"] == []
    assert changed(document, Add(RULES, RULE)).root["security_groups"]["web"]["ingress"] == [RULE]


@pytest.mark.parametrize(
    ("text", "edit", "line"),
    [
        (
            "flavors: {s: {vcpus: 1}}\ninstances:\n  a: &a {flavor: s}\n  b: *a\n",
            Put(("instances", "b"), "flavor", "l"),
            4,
        ),
        ("g: &r [{from: any}]\nh: *r\n", Drop(("g",), 0), 1),
        ("security_groups: {}\n", Drop(("security_groups", "web", "ingress"), 0), 1),
    ],
)
def test_what_would_change_something_else_too_is_refused_with_the_place(text: str, edit: Edit, line: int) -> None:
    with pytest.raises(SpecError) as caught:
        edited(text, edit)
    (problem,) = caught.value.problems
    assert problem.place
    assert problem.place.line == line
    assert "cannot be written here" in problem.message


def test_what_was_merged_in_is_put_over() -> None:
    text = "x: &x {flavor: s}\ninstances:\n  a: {<<: *x, image: i}\n"
    after = edited(text, Put(("instances", "a"), "flavor", "l"))
    assert after == "x: &x {flavor: s}\ninstances:\n  a: {flavor: l, <<: *x, image: i}\n"


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("äß€\U0001f600"), max_size=12)
VALUES = st.recursive(
    TEXT | st.integers() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT.filter(lambda key: key != "<<"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(VALUES)
def test_any_value_is_read_as_what_it_was(value: object) -> None:
    assert parse("x", f"a: {flow(value)}\n".encode()).root["a"] == value
