"""Defaults, what the order of a file means (nothing), and that no file at all does worse than SpecError."""

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cloudsync.model.cloud import WantedNic
from cloudsync.model.problem import Place, SpecError
from cloudsync.model.resources import Direction, Rule
from cloudsync.spec.load import load
from tests.effort import tries
from tests.spec.spec_text import HEAD, KEY, NETWORK, write

EXAMPLE = Path(__file__).parent / "example.yaml"
IN, OUT = Direction.INGRESS, Direction.EGRESS


def test_default_group_overridden_by_direction(tmp_path: Path) -> None:
    def rules(written: str) -> tuple[Rule, ...]:
        text = f"{HEAD}security_groups: {{default: {written}}}\n"
        return load(write(tmp_path, text)).groups["default"].rules

    out, own = Rule(direction=OUT), Rule(direction=IN, remote="group.default")
    assert rules("{}") == (out, own)
    assert load(write(tmp_path, HEAD)).groups["default"].rules == (out, own)
    assert rules("{egress: []}") == (own,)
    assert rules("{ingress: []}") == (out,)
    assert rules("{ingress: [{from: self, protocol: tcp}], egress: []}") == (
        Rule(direction=IN, protocol="tcp", remote="group.default"),
    )


def test_the_bandwidth_of_moves(tmp_path: Path) -> None:
    assert load(write(tmp_path, HEAD)).bandwidth == 0
    assert load(write(tmp_path, HEAD + "migration: {bandwidth: 100MiB}\n")).bandwidth == 100 << 20


def test_spellings_of_a_rule_are_equal(tmp_path: Path) -> None:
    def rules(written: str) -> tuple[Rule, ...]:
        return load(write(tmp_path, f"{HEAD}security_groups: {{web: {{ingress: {written}}}}}\n")).groups["web"].rules

    one = rules("[{protocol: tcp, ports: [80, 81, 443], from: any}]")
    assert one == rules("[{protocol: 6, ports: '443', from: 0.0.0.0/0}, {protocol: TCP, ports: 80-81, from: any}]")
    assert one == rules("[{protocol: tcp, ports: 443, from: any}, {protocol: tcp, ports: [80-80, 80-81], from: any}]")
    assert rules("[{from: group.web}]") == rules("[{protocol: ip, from: self}]") == rules("[{protocol: 0, from: self}]")
    assert rules("[{protocol: tcp, ports: 1-65535, from: 192.0.2.7}]") == rules("[{protocol: tcp, from: 192.0.2.7/32}]")
    assert rules("[{protocol: icmp, type: 8, from: any}]") == rules("[{protocol: 1, type: echo-request, from: any}]")
    assert rules("[{protocol: vrrp, from: any}]") == rules("[{protocol: '112', from: any}]")


def test_network_of_an_instance(tmp_path: Path) -> None:
    def network(networks: str, instance: str) -> str:
        text = f"{HEAD}networks: {networks}\ninstances: {{web: {{image: tiny, flavor: small{instance}}}}}\n"
        return load(write(tmp_path, text)).instances["web"].nics[0].network

    two = "{a: {subnet: 10.1.0.0/16}, default: {subnet: 10.2.0.0/16}}"
    assert network("{only: {subnet: 10.1.0.0/16}}", "") == "only"
    assert network(two, "") == "default"
    assert network(two, ", network: a") == "a"
    assert network(two, ", networks: [{name: a, address: 10.1.0.9}]") == "a"


def test_cards_of_an_instance(tmp_path: Path) -> None:
    cards = "{name: b}, {name: a, address: 10.1.0.9, port_security: false}, {name: b}"
    text = f"{HEAD}networks: {{a: {{subnet: 10.1.0.0/16}}, b: {{subnet: 10.2.0.0/16}}}}\n"
    text += f"instances: {{web: {{image: tiny, flavor: small, networks: [{cards}]}}}}\n"
    assert load(write(tmp_path, text)).instances["web"].nics == (
        WantedNic(network="b"),
        WantedNic(network="a", address="10.1.0.9", port_security=False),
        WantedNic(network="b"),
    )


def test_groups_of_an_instance(tmp_path: Path) -> None:
    def groups(written: str) -> tuple[str, ...]:
        text = f"{HEAD}networks: {{a: {{subnet: 10.1.0.0/16}}}}\nsecurity_groups: {{web: {{}}}}\n"
        text += f"instances: {{web: {{image: tiny, flavor: small{written}}}}}\n"
        return load(write(tmp_path, text)).instances["web"].groups

    assert groups("") == ("default",)
    assert groups(", security_groups: []") == ()
    assert groups(", security_groups: [web]") == ("web",)
    assert groups(", security_groups: [web, default]") == ("default", "web")


def test_former_names(tmp_path: Path) -> None:
    text = f"""{HEAD}{NETWORK}
instances:
  plain: {{image: tiny, flavor: small}}
  many: {{count: 2, image: tiny, flavor: small}}
  new: {{was: old, image: tiny, flavor: small}}
  news: {{count: 2, was: olds, image: tiny, flavor: small}}
  none: {{count: 0, image: tiny, flavor: small}}
"""
    was = {name: wanted.was for name, wanted in load(write(tmp_path, text)).instances.items()}
    assert was == {
        "plain": ("plain-1",),
        "many-1": ("many",),
        "many-2": (),
        "new": ("old", "new-1"),
        "news-1": ("olds-1", "olds", "news"),
        "news-2": ("olds-2",),
    }


def test_gateway_and_domain_defaults(tmp_path: Path) -> None:
    text = (
        f"{HEAD}networks: {{a: {{subnet: 10.1.0.0/24}}, b: {{subnet: 10.2.0.0/24, gateway: 10.2.0.9, domain: x.y}}}}\n"
    )
    networks = load(write(tmp_path, text)).networks
    assert (networks["a"].gateway, networks["a"].domain, networks["a"].nat) == ("10.1.0.1", "demo.internal", True)
    assert (networks["b"].gateway, networks["b"].domain) == ("10.2.0.9", "x.y")


def test_anchors_and_merges(tmp_path: Path) -> None:
    text = f"""{HEAD}{NETWORK}
instances:
  a: &web {{image: tiny, flavor: small, metadata: {{role: web}}}}
  b: {{<<: *web, protect: true}}
  c: *web
"""
    instances = load(write(tmp_path, text)).instances
    assert instances["b"].metadata == {"role": "web"}
    assert replace(instances["b"], name="c", base="c", was=("c-1",), protect=False) == instances["c"]


def test_digest_follows_every_file(tmp_path: Path) -> None:
    text = f"""{HEAD}{NETWORK}
keypairs: {{alice: {{public_key_file: alice.pub}}}}
instances: {{web: {{image: tiny, flavor: small, user_data: {{file: data}}}}}}
"""
    spec, key, data = write(tmp_path, text), tmp_path / "alice.pub", tmp_path / "data"
    key.write_text(KEY)
    data.write_text("one")
    first = load(spec).digest
    assert load(spec).digest == first
    data.write_text("two")
    second = load(spec).digest
    key.write_text(KEY + "2")
    third = load(spec).digest
    spec.write_text(text + "# said\n")
    assert len({first, second, third, load(spec).digest}) == 4


@pytest.mark.parametrize("seed", range(8))
def test_order_of_keys_means_nothing(tmp_path: Path, seed: int) -> None:
    """Sections, names and keys in any order: the same cloud, but for digest and places."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe")
    shuffle = random.Random(seed).shuffle  # noqa: S311 - an order, not a secret

    def shuffled(value: object) -> object:
        if isinstance(value, dict):
            items = [(key, shuffled(inner)) for key, inner in value.items()]
            shuffle(items)
            return dict(items)
        return [shuffled(inner) for inner in value] if isinstance(value, list) else value

    mixed = EXAMPLE.with_name(f"shuffled-{seed}.yaml")
    target = tmp_path / mixed.name
    for name in ("web.cloud-config.yaml", "keys/ci.pub"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((EXAMPLE.parent / name).read_bytes())
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(shuffled(yaml.load(EXAMPLE)), target)
    one = replace(load(EXAMPLE), digest="", path="", places={}, commit="", dirty=False)
    other = replace(load(target), digest="", path="", places={}, commit="", dirty=False)
    assert one == other


def only_spec_error(path: Path) -> None:
    try:
        load(path)
    except SpecError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.place is not None
            assert (problem.message + problem.hint + problem.source).isprintable()


@settings(deadline=None, max_examples=tries(400), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"a: &a [*a]")
@example(b"? ? ? ?")
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "cloud.yaml"
    path.write_bytes(data)
    only_spec_error(path)


PIECES = (
    EXAMPLE.read_text(encoding="utf-8").split(),
    ["{", "}", "[", "]", ":", "- ", "\n", "\n  ", "&a ", "*a", "!!x ", "'", '"'],
)
words = st.sampled_from([*PIECES[0], *PIECES[1] * 8])


@settings(deadline=None, max_examples=tries(400), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(words, max_size=40))
def test_any_words_of_the_language(tmp_path: Path, pieces: list[str]) -> None:
    only_spec_error(write(tmp_path, "version: 1\ncloud: demo\n" + " ".join(pieces)))


LINES = EXAMPLE.read_text(encoding="utf-8").splitlines()


@settings(deadline=None, max_examples=tries(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, len(LINES) - 1),
    st.sampled_from(["", "  ", "[]", "{}", "null", "1", "x: ", "*", "'", "- "]),
    st.booleans(),
)
def test_a_damaged_example(tmp_path: Path, line: int, damage: str, cut: bool) -> None:
    lines = list(LINES)
    lines[line] = damage + lines[line] if cut else lines[line].partition(":")[0] + ": " + damage
    only_spec_error(write(tmp_path, "\n".join(lines)))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "{a: " * 50_000,
        "- " * 100_000,
        "? " * 50_000,
        "a: &a [" * 40_000,
        "- [" * 60_000,
    ],
)
def test_deep_nesting_ends_at_once(tmp_path: Path, text: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(write(tmp_path, text))
    assert len(caught.value.problems) == 1


def test_a_large_file_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load(write(tmp_path, "a: b\n" * (10 << 20 >> 2)))
    assert [problem.message for problem in caught.value.problems] == ["the spec is larger than 8 MiB"]


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: None])
def test_no_file(tmp_path: Path, make: object) -> None:
    path = tmp_path / "cloud.yaml"
    make(path)  # type: ignore[operator]
    with pytest.raises(SpecError) as caught:
        load(path)
    assert caught.value.problems[0].place == Place(str(path), 1, 1)


def test_problems_are_sorted_and_there_once(tmp_path: Path) -> None:
    text = "version: 1\ncloud: demo\ninstances:\n  b: {image: x, flavor: y}\n  a: {image: x, flavor: y}\n"
    with pytest.raises(SpecError) as caught:
        load(write(tmp_path, text))
    places = [problem.place for problem in caught.value.problems if problem.place]
    assert places == sorted(places)
    assert len(set(caught.value.problems)) == len(caught.value.problems)


@pytest.mark.parametrize(
    ("kind", "said", "hint"),
    [
        ("folder", "is a directory", "name the file in it with -f FILE"),
        ("home", "is a directory", "name the file in it: -f "),
        ("circle", "too many levels of symbolic links", "name the file itself"),
        ("pipe", "is not a regular file", "name a file"),
        ("device", "is not a regular file", "name a file"),
        ("nothing", "no such file or directory", "cloudsync init"),
        ("x" * 300, "file name too long", "name another file"),
    ],
)
def test_what_is_no_file_is_told_once_with_a_way_out(tmp_path: Path, kind: str, said: str, hint: str) -> None:
    path = tmp_path / kind
    if kind in ("folder", "home"):
        path.mkdir()
    if kind == "home":
        (path / "cloud.yaml").touch()
    elif kind == "circle":
        path.symlink_to(path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/null")
    with pytest.raises(SpecError) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert said in problem.message
    assert hint in problem.hint
    assert problem.place == Place(str(path), 1, 1)
