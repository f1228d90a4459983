"""What is read from YAML, where it stands, and which lines are never shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsync.spec.document import parse
from cloudsync.spec.finding import Spot
from cloudsync.spec.scalar import plain
from cloudsync.spec.secrets import secret_lines

SCALARS: dict[str, object] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "False": False,
    "on": "on",
    "yes": "yes",
    "12": 12,
    "012": 12,
    "0o17": 15,
    "0xff": 255,
    "-7": -7,
    "+7": 7,
    "1.5": 1.5,
    "1e3": 1000.0,
    ".inf": float("inf"),
    "1" * 31: float("1" * 31),
    "1_000": "1_000",
    "22:22": "22:22",
    "2026-01-01": "2026-01-01",
    "9.9.9.9": "9.9.9.9",
    "-": "-",
    "=": "=",
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_plain_scalars_are_yaml_1_2(text: str, value: object) -> None:
    assert plain(text) == value
    assert type(plain(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{uri: qemu:///system, state: active}", {"uri": "qemu:///system", "state": "active"}),
        ("{uri: sim:?vcpus=4&memory=8GiB, at: 22:22}", {"uri": "sim:?vcpus=4&memory=8GiB", "at": "22:22"}),
        ('[a:b, c::d, "e:f", \'g:h\', {"i":1}]', ["a:b", "c::d", "e:f", "g:h", {"i": 1}]),
        ("{a:b: c:d}", {"a:b": "c:d"}),
    ],
)
def test_a_colon_in_a_text_between_brackets_is_part_of_it(text: str, value: object) -> None:
    """YAML 1.2; libyaml knows 1.1 only."""
    found = parse("x", f"a: {text}\nb: |\n  c:d {{e:f}}\n".encode())
    assert (found.spots, found.complete) == ((), True)
    assert found.root == {"a": value, "b": "c:d {e:f}\n"}


def test_what_follows_such_a_colon_keeps_its_place_and_is_read() -> None:
    text = "hosts:\n  a: {uri: qemu:///system, stat: active}\nhosts: {}\n"
    found = parse("x", text.encode())
    assert found.position(("hosts", "a", "stat"), at_key=True) == (2, 28)
    assert [spot.message for spot in found.spots] == ['the key "hosts" is here twice']


@pytest.mark.parametrize("first", ["", "{}"])
def test_of_a_key_that_is_here_twice_an_empty_first_one_does_not_count(first: str) -> None:
    """What refers to the second is told as missing otherwise."""
    found = parse("cloud.yaml", f"images: {first}\na: 1\nimages: {{blank: 2}}\n".encode())
    assert found.root["images"] == {"blank": 2}
    assert found.root.marks["images"][0] == 2
    assert [spot.message for spot in found.spots][-1] == 'the key "images" is here twice'


def test_a_section_that_is_here_twice_has_what_both_have() -> None:
    root = parse("cloud.yaml", b"images: {blank: {a: 1}}\nimages: {blank: {b: 2}, other: 2}\n").root
    assert root["images"] == {"blank": {"a": 1}, "other": 2}
    assert root["images"].marks["other"][0] == 1


def test_a_colon_that_ends_a_text_between_brackets_has_a_way_out() -> None:
    (spot,) = parse("x", b"a: {uri: sim:, state: active}\n").spots
    assert (spot.line, spot.hint) == (1, "put the text in quotes")


@given(st.text())
def test_plain_never_raises(text: str) -> None:
    plain(text)


def test_positions() -> None:
    document = parse("f", "a: 1\nbé:\n  - x\n  - {c: d, e: [f]}\n".encode())
    assert document.position(("a",)) == (1, 4)
    assert document.position(("a",), at_key=True) == (1, 1)
    assert document.position(("bé", 0)) == (3, 5)
    assert document.position(("bé", 1, "c")) == (4, 9)
    assert document.position(("bé", 1, "e"), at_key=True) == (4, 12)
    assert document.position(("bé", 1, "e", 0)) == (4, 16)
    assert document.position(("bé", 1, "nothing", 3)) == (4, 5)
    assert document.position(()) == (1, 1)


def test_lines_end_where_libyaml_ends_them() -> None:
    document = parse("f", "a: x\u2028b: 1\r\nc: 2\rd: 3\n".encode())
    assert document.position(("d",), at_key=True) == (4, 1)
    assert document.lines[3] == "d: 3"


def test_keys_are_text() -> None:
    assert parse("f", b"1: a\ntrue: b\n012: c\n~: d\n").root == {"1": "a", "true": "b", "012": "c", "~": "d"}


def hidden(text: str, broken: bool = False) -> list[int]:
    return sorted(number + 1 for number in secret_lines(text.split("\n"), broken))


def test_user_data_lines_are_hidden() -> None:
    assert hidden("a:\n  user_data: |\n    x\n\n    y\n  image: z\n") == [3, 4, 5]
    assert hidden("a: {user_data: 'x', image: y}\nb: z") == [1]
    assert hidden("a: {user_data: {file: x}, image: y}\nb: z") == []
    assert hidden("a:\n  'user_data': |2-  # note\n    x\n  b: c") == [3]
    assert hidden("a:\n  user_data:\n    x: y\n  on_user_data_change: keep") == [3]
    assert hidden("# user_data: in words\na:\n  b: c") == []


def test_in_broken_yaml_more_is_hidden() -> None:
    text = "a:\n  user_data: |\n    x\n password: y\n  z\n  image: a"
    assert hidden(text) == [3]
    assert hidden(text, broken=True) == [3, 4, 5]


@pytest.mark.parametrize(
    "key", ["userdata", "user-data", "User_Data", "usr_data", "user data", "cloud-init", "user_dta"]
)
def test_user_data_by_another_name_is_hidden(key: str) -> None:
    assert hidden(f"a: {{{key}: 'x', image: y}}\nb: z") == [1]
    assert hidden(f"a:\n  {key}: |\n    x\n  image: z\n") == [3]
    assert hidden(f'a: {{user_data: {{file: x}}, "{key}":"y"}}') == [1]


@pytest.mark.parametrize("key", ["metadata", "on_user_data_change", "user", "update", "database"])
def test_other_keys_are_shown(key: str) -> None:
    assert hidden(f"a: {{{key}: 'x', image: y}}\nb: z") == []


def test_what_begins_like_user_data_is_hidden_wherever_it_stands() -> None:
    text = "a:\n  b: |\n    #cloud-config\n    password: x\n  image: y"
    assert hidden(text) == [3, 4]
    assert hidden("a: x\n#!/bin/sh\nset x\n  image: y") == [2, 3]


def test_what_stands_under_an_unknown_key_is_hidden() -> None:
    def shown(text: str) -> list[int]:
        document = parse("f", text.encode())
        return [n for n, line in enumerate(document.lines, 1) if document.problem(Spot(n, 1, "")).source and line]

    head = "version: 1\ninstances:\n  web:\n    image: x"
    assert shown(f"{head}\n    init:\n      a: x\n\n  # said\n    count: 2\ncloud: x\n") == [1, 2, 3, 4, 9, 10]
    assert shown(f"{head}\n    init: [x,\ny]\n    count: 2") == [1, 2, 3, 4, 7]
    assert shown(f"{head}\n  db: {{init: x,\n  image: y, a: x}}\nnew: &a {{init: x}}\ncloud: x") == [1, 2, 3, 4, 8]
    assert shown(f"{head}\n    metadata: {{init: x}}\n    flavour: small\n    imgae:\n    init: {{}}") == [*range(1, 9)]
    assert shown(f"{head}\n    disks:\n    - name: a\n      init: x\n    - name: b\n      size: y") == [
        *range(1, 7),
        8,
        9,
    ]


def test_private_keys_are_hidden() -> None:
    body = "    Proc-Type: 4,ENCRYPTED\n\n    QUJD"
    text = f"k:\n  a: |\n    -----BEGIN RSA PRIVATE KEY-----\n{body}\n    -----END RSA PRIVATE KEY-----\n  b: c"
    assert hidden(text) == [3, 4, 5, 6, 7]
    assert hidden("k:\n  a: b3BlbnNzaC1rZXktdjEAAAA\n  QUJDREVG\n  b: c") == [2, 3]
