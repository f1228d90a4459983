"""Drawings: of a small cloud as a person has looked at them, and of hostile names. BLESS=1 writes them anew."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cloudsync.model.cloud import Cloud
from cloudsync.reach.picture import Picture, View, picture
from cloudsync.reach.wanted import of_cloud
from cloudsync.render.graph_dot import dot
from cloudsync.render.graph_mermaid import mermaid
from cloudsync.render.graph_svg import svg
from tests.firewall.documents import DEFAULT, egress, group, ingress
from tests.planner.build import cloud, instance

GOLDEN = Path(__file__).with_name("graphs")
DRAWN = {"svg": svg, "dot": dot, "mmd": mermaid}


def small() -> Cloud:
    walls = (
        DEFAULT,
        group("web", ingress("any", "tcp", (443, 443)), egress()),
        group("db", ingress("group.web", "tcp", (5432, 5432)), egress("192.0.2.0/24", "udp", (123, 123))),
        group("idle"),
    )
    web = [instance(f"web-{number}", base="web", index=number, groups=("default", "web")) for number in (1, 2, 3, 4)]
    return replace(
        cloud(*web, instance("db", groups=("db",)), hosts=("kvm-1", "kvm-2")), groups={one.name: one for one in walls}
    )


def drawn(found: Cloud) -> Picture:
    return still(found, {"web-1": "kvm-1", "web-2": "kvm-1", "web-3": "kvm-2", "db": "kvm-2"})


def still(found: Cloud, homes: Mapping[str, str]) -> Picture:
    now = View(scene=of_cloud(found), groups=found.groups, hosts=found.hosts, homes=homes)
    return picture(found.name, now, now)


def changed() -> Picture:
    """One joins the databases, one moves, one goes, and a group lets in more."""
    before = small()
    come = instance("cache", groups=("db",))
    there = {name: one for name, one in before.instances.items() if name != "web-4"} | {"cache": come}
    there["web-1"] = replace(there["web-1"], groups=("db", "default", "web"))
    web = group("web", ingress("any", "tcp", (443, 443)), ingress("any", "tcp", (8443, 8443)), egress())
    after = replace(before, instances=there, groups={**before.groups, "web": web})
    views = [
        View(scene=of_cloud(one), groups=one.groups, hosts=one.hosts, homes=dict.fromkeys(one.instances, "kvm-1"))
        for one in (before, after)
    ]
    return picture("demo", views[0], replace(views[1], homes={**views[1].homes, "db": "kvm-2"}), {"web-2"})


@pytest.mark.parametrize("kind", DRAWN)
def test_a_small_cloud_looks_as_it_did(kind: str) -> None:
    looks(f"small.{kind}", DRAWN[kind](drawn(small())))


def test_a_change_looks_as_it_did() -> None:
    looks("change.svg", svg(changed()))


def looks(name: str, text: str) -> None:
    golden = GOLDEN / name
    if os.environ.get("BLESS"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


def test_everything_that_is_there_is_in_the_drawing() -> None:
    text = " ".join(element.text or "" for element in ElementTree.fromstring(svg(drawn(small()))).iter())
    for words in (
        "internet",
        "192.0.2.0/24",
        "network.default",
        "web-1 … web-4",
        "db",
        "host.kvm-2",
        "group.idle",
        "tcp/5432",
    ):
        assert words in text, words
    assert "on no host yet ×1, kvm-1 ×2, kvm-2 ×1" in text
    assert "on no host yet: web-4" in text


def test_nothing_in_a_name_gets_out_of_its_text() -> None:
    evil = 'a"]; <script>alert(1)</script> & \x1b]0;x\x07 --> b'
    found = small()
    hostile = replace(found, name=evil, groups={**found.groups, evil: replace(found.groups["idle"], name=evil)})
    hostile = replace(hostile, networks={"default": replace(found.networks["default"], name=evil)})
    tree = ElementTree.fromstring(svg(drawn(hostile)))
    assert {element.tag.rpartition("}")[2] for element in tree.iter()} <= {
        "svg",
        "style",
        "rect",
        "g",
        "title",
        "desc",
        "text",
        "path",
        "circle",
    }
    assert evil.split("\x1b")[0] in "".join(element.text or "" for element in tree.iter())
    assert "\\n" not in dot(drawn(hostile)).splitlines()[1]
    assert '\\"]; <script>' in dot(drawn(hostile))
    assert "\x1b" not in svg(drawn(hostile)) + dot(drawn(hostile)) + mermaid(drawn(hostile))


def test_colours_are_there_for_light_and_for_dark() -> None:
    text = svg(drawn(small()))
    assert "prefers-color-scheme:dark" in text
    assert '<rect class="paper"' in text


def test_an_empty_cloud_is_drawn() -> None:
    nothing = replace(cloud(), groups={"default": DEFAULT})
    for draw in DRAWN.values():
        assert draw(still(nothing, {}))
