"""`reach` as it is typed: who may connect, which line says so, and the code it ends with."""

import json
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.house.promised import broken

SPEC = f"""\
version: 1
cloud: demo
hosts:
  kvm-1: {{uri: 'sim:?vcpus=8&memory=16GiB&disk=100GiB', address: 198.51.100.11}}
images:
  blank: {{source: 'https://example.org/blank.qcow2', sha256: {"ab" * 32}}}
networks:
  default: {{subnet: 10.20.0.0/24}}
  back: {{subnet: 10.30.0.0/24, nat: false}}
flavors:
  small: {{vcpus: 1, memory: 512MiB, disk: 4GiB}}
security_groups:
  web:
    ingress:
      - {{protocol: tcp, ports: [80, 443], from: any}}
      - {{protocol: tcp, ports: 8000-8010, from: 192.0.2.0/24}}
      - {{protocol: tcp, ports: 22, from: 10.30.0.128/25}}
  db:
    ingress:
      - {{protocol: tcp, ports: 5432, from: group.web}}
    egress:
      - {{protocol: udp, ports: 123, to: 192.0.2.0/24}}
  empty: {{}}
instances:
  web: {{count: 2, image: blank, flavor: small, network: default, security_groups: [default, web]}}
  db: {{image: blank, flavor: small, network: back, security_groups: [db]}}
  fixed: {{image: blank, flavor: small, networks: [{{name: back, address: 10.30.0.200}}]}}
  open: {{image: blank, flavor: small, network: back}}
"""


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    terminal.write(SPEC)
    return terminal


def pairs(cloud: Terminal, *words: str, code: int) -> list[dict[str, Any]]:
    typed = cloud.type("reach", *words, "--format", "json")
    assert typed.code == code, typed.out + typed.err
    found = json.loads(typed.out)
    assert broken(found, "reach") == []
    answer: list[dict[str, Any]] = found["pairs"]
    return answer


def line(words: str) -> int:
    return next(number for number, text in enumerate(SPEC.splitlines(), 1) if words in text)


def test_a_yes_names_the_line_for_every_pair(cloud: Terminal) -> None:
    found = pairs(cloud, "web", "db", "tcp/5432", code=0)
    assert [(pair["from"], pair["to"], pair["port"]) for pair in found] == [
        ("instance.web-1", "instance.db", 5432),
        ("instance.web-2", "instance.db", 5432),
    ]
    rule = {"address": "group.db", "file": str(cloud.spec), "line": line("5432")}
    assert [pair["rule"] for pair in found] == [rule, rule]
    assert found[0]["path"] == [
        "instance.web-1",
        "group.default: any to any (implied)",
        f"group.db: tcp/5432 from group.web ({cloud.spec}:{line('5432')})",
        "instance.db",
    ]


def test_a_no_says_which_side_refuses_and_what_it_would_need(cloud: Terminal) -> None:
    (taken,) = pairs(cloud, "internet", "db", "tcp/5432", code=5)
    assert (taken["verdict"], taken["rule"]) == ("denied", None)
    assert "no ingress rule of group.db" in taken["because"]
    assert "ingress: [{protocol: tcp, ports: 5432, from: any}]" in taken["because"]
    (sent,) = pairs(cloud, "db", "web-1", "tcp/80", code=5)
    assert "egress: [{protocol: tcp, ports: 80, to: group.web}]" in sent["because"]
    assert "ingress" not in sent["because"]
    (both,) = pairs(cloud, "db", "fixed", "tcp/9", code=5)
    assert "egress" in both["because"]
    assert "ingress" in both["because"]


def test_without_a_service_everything_that_may_pass_is_listed(cloud: Terminal) -> None:
    found = pairs(cloud, "internet", "web-1", code=0)
    assert [(pair["from"], pair["protocol"], pair["port"]) for pair in found] == [
        ("internet", "tcp", 80),
        ("internet", "tcp", 443),
        ("192.0.2.0/24", "tcp", "8000-8010"),
    ]
    (nothing,) = pairs(cloud, "internet", "db", code=5)
    assert (nothing["protocol"], nothing["port"], nothing["verdict"]) == ("any", None, "denied")


def test_one_no_among_many_is_a_no(cloud: Terminal) -> None:
    found = pairs(cloud, "web", "network.back", "udp/9", code=5)
    assert {pair["to"]: pair["verdict"] for pair in found if pair["from"] == "instance.web-1"} == {
        "instance.db": "denied",
        "instance.fixed": "allowed",
        "instance.open": "allowed",
    }


@pytest.mark.parametrize(
    ("words", "verdicts"),
    [
        (("fixed", "web-1", "tcp/22"), {"allowed"}),  # also by group.default
        (("db", "192.0.2.5", "udp/123"), {"allowed"}),
        (("db", "192.0.2.0/24", "udp/123"), {"allowed"}),
        (("db", "internet", "udp/123"), {"denied", "allowed"}),  # the one prefix only
        (("10.30.0.200", "db", "tcp/5432"), {"denied"}),
        (("db", "10.30.0.1", "udp/53"), {"allowed"}),  # names, whatever its groups say
        (("db", "10.20.0.1", "icmp/echo-request"), {"allowed"}),
        (("db", "10.30.0.1", "tcp/22"), {"denied"}),
        (("db", "169.254.169.254", "tcp/80"), {"allowed"}),
        (("db", "169.254.169.254", "tcp/22"), {"denied"}),
        (("web-1", "198.51.100.11", "tcp/22"), {"denied"}),  # a host
        (("web-1", "10.20.0.99", "tcp/22"), {"denied"}),  # nobody
        (("web-1", "web-1", "tcp/22"), {"allowed"}),
        (("10.30.0.1", "db", "tcp/22"), {"allowed"}),  # the host's own packets
        (("198.51.100.11", "db", "tcp/22"), {"allowed"}),  # by another address of its own
        (("group.web", "group.web", "tcp/9"), {"allowed"}),
        (("any", "db", "tcp/5432"), {"allowed", "denied"}),
    ],
)
def test_ends_of_every_sort(cloud: Terminal, words: tuple[str, ...], verdicts: set[str]) -> None:
    found = pairs(cloud, *words, code=0 if verdicts == {"allowed"} else 5)
    assert {pair["verdict"] for pair in found} == verdicts
    assert all(pair["because"] for pair in found)


def test_what_depends_on_an_address_says_so_until_it_is_decided(cloud: Terminal) -> None:
    cloud.write(SPEC.replace("network: back}", "network: back, security_groups: [empty]}"))
    (vague,) = pairs(cloud, "open", "web-1", "tcp/22", code=5)
    assert vague["verdict"] == "depends"
    assert "depends on the address that instance.open" in vague["because"]
    cloud.write(
        SPEC.replace("network: back}", "networks: [{name: back, address: 10.30.0.129}], security_groups: [empty]}")
    )
    (decided,) = pairs(cloud, "open", "web-1", "tcp/22", code=0)
    assert decided["rule"]["line"] == line("10.30.0.128/25")
    (perhaps_db,) = pairs(cloud, "10.30.0.0/25", "web-1", "tcp/80", code=5)
    assert (perhaps_db["from"], perhaps_db["verdict"]) == ("instance.db", "denied")


def test_what_the_firewall_lets_pass_may_need_a_way_besides(cloud: Terminal) -> None:
    (out,) = pairs(cloud, "fixed", "internet", "tcp/80", code=0)
    assert "nat: false" in out["because"]
    (into, *_) = pairs(cloud, "internet", "web", "tcp/80", code=0)
    assert "no floating address" in into["because"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("internet", "192.0.2.1"), 1, "neither internet nor 192.0.2.1 is an instance"),
        (("wep", "db"), 1, 'did you mean "web"?'),
        (("group.nope", "db"), 1, 'there is no group "nope"'),
        (("10.0.0.1/8", "db"), 64, "host bits"),
        (("2001:db8::1", "db"), 1, "IPv6"),
        (("web", "db", "tcp/70000"), 64, "port 70000 does not exist"),
        (("web", "db", "tcp/443", "--format", "yaml"), 64, "yaml"),
        (("web",), 64, "Missing argument"),
        (("web", "db", "--live"), 5, ""),
    ],
)
def test_what_cannot_be_answered_is_said(cloud: Terminal, words: tuple[str, ...], code: int, said: str) -> None:
    typed = cloud.type("reach", *words)
    assert typed.code == code, typed.out + typed.err
    assert said in typed.err


def test_an_empty_end_is_a_no_that_says_why(cloud: Terminal) -> None:
    typed = cloud.type("reach", "group.empty", "db")
    assert typed.code == 5
    assert typed.out == "there is no instance in group.empty\n"


def test_people_read_a_line_for_those_that_fare_alike(cloud: Terminal) -> None:
    shown = cloud.type("reach", "web", "db", "tcp/5432").out.splitlines()
    assert shown == [
        f"web-1, web-2 → db  tcp/5432  allowed  group.db  {cloud.spec}:{line('5432')}",
        "    group.default lets out any to any; group.db lets in tcp/5432 from group.web",
    ]


def test_a_simulated_host_has_no_kernel(cloud: Terminal) -> None:
    cloud.type("apply", "-y")
    typed = cloud.type("reach", "web", "db", "tcp/5432", "--live")
    assert typed.code == 1
    assert "it has no kernel to ask" in typed.err
