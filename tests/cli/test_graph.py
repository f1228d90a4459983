"""`graph` as it is typed."""

from xml.etree import ElementTree

import pytest

from tests.cli.terminal import Terminal
from tests.cli.test_reach import SPEC


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    terminal.write(SPEC)
    return terminal


def test_it_draws_svg_unless_told_otherwise(cloud: Terminal) -> None:
    typed = cloud.type("graph")
    assert typed.code == 0
    assert ElementTree.fromstring(typed.out).tag.endswith("svg")
    assert "on no host yet" in typed.out
    cloud.type("apply", "-y")
    assert "host.kvm-1: db, fixed, open, web-1, web-2" in cloud.type("graph").out


@pytest.mark.parametrize(("kind", "start"), [("dot", "digraph cloud {"), ("mermaid", "flowchart LR"), ("svg", "<svg ")])
def test_it_goes_to_a_file_when_one_is_named(cloud: Terminal, kind: str, start: str) -> None:
    to = cloud.folder / "drawn"
    typed = cloud.type("graph", "--format", kind, "--out", str(to))
    assert (typed.code, typed.out) == (0, "")
    assert to.read_text().startswith(start)


def test_the_spec_is_not_drawn_over(cloud: Terminal) -> None:
    before = (cloud.folder / "cloud.yaml").read_text()
    typed = cloud.type("graph", "--out", str(cloud.folder / "cloud.yaml"))
    assert (typed.code, "it is not overwritten" in typed.err) == (1, True)
    assert (cloud.folder / "cloud.yaml").read_text() == before


def test_what_it_cannot_do_is_said(cloud: Terminal) -> None:
    assert cloud.type("graph", "--format", "png").code == 64
    typed = cloud.type("graph", "--out", str(cloud.folder / "no" / "where.svg"))
    assert typed.code == 1
    assert "cannot be written" in typed.err
