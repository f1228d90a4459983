"""Reports and drawings in a real browser, and a picture of each in build/browser to look at. `make browser`."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cloudsync.model.plan import Plan
from cloudsync.render import plan_html
from cloudsync.render.graph_dot import dot
from cloudsync.render.graph_mermaid import mermaid
from cloudsync.render.graph_svg import svg
from tests.browser import measure
from tests.browser.chrome import Chrome, chrome
from tests.browser.clouds import HOSTILE, PICTURES
from tests.house.tree import TOP
from tests.render import test_hostile as told

SHOTS = TOP / "build" / "browser"
MERMAID = SHOTS / "package" / "dist" / "mermaid.min.js"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chrome(tmp_path_factory.mktemp("chrome") / "profile") as found:
        yield found


def shown(browser: Chrome, name: str, text: str) -> None:
    """The file is kept beside its picture."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    file = SHOTS / name
    file.write_text(text, encoding="utf-8")
    browser.open(file)


def asked_for(browser: Chrome) -> set[str]:
    return {one["params"]["request"]["url"] for one in browser.seen if one["method"] == "Network.requestWillBeSent"}


def report(word: str) -> Plan:
    """A plan that has something in every section."""
    return replace(told.plan(word), cloud=word)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", PICTURES)
def test_svg(browser: Chrome, name: str, dark: bool) -> None:
    browser.look(1400, 1000, dark)
    shown(browser, f"{name}.svg", svg(PICTURES[name]()))
    browser.shoot(SHOTS / f"{name}-{'dark' if dark else 'light'}.png")
    for measured in (measure.COLLISIONS, measure.OUT_OF_BOXES, measure.THROUGH_RAILS, measure.PALE):
        assert browser.run(measured) == []


@pytest.mark.parametrize(("wide", "dark"), [(1200, False), (360, False), (1200, True)])
@pytest.mark.parametrize("name", PICTURES)
def test_page(browser: Chrome, name: str, wide: int, dark: bool) -> None:
    browser.look(wide, 900, dark)
    shown(browser, f"{name}.html", plan_html.plan(report(HOSTILE if name == "hostile" else "web-1"), PICTURES[name]()))
    browser.shoot(SHOTS / f"{name}-page-{wide}-{'dark' if dark else 'light'}.png")
    assert browser.run(measure.SIDEWAYS) <= 0
    for measured in (measure.COLLISIONS, measure.OUT_OF_BOXES, measure.THROUGH_RAILS, measure.PALE):
        assert browser.run(measured) == []
    assert asked_for(browser) == {(SHOTS / f"{name}.html").as_uri()}
    assert [one for one in browser.seen if one["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")] == []


def test_what_a_stranger_would_put_in_is_forbidden(browser: Chrome, tmp_path: Path) -> None:
    """The policy holds in a real browser: what gets past the escaping all the same neither runs nor asks."""
    page = plan_html.plan(report("web"), PICTURES["few"]())
    evil = "<script>document.title='evil'</script><img src='https://192.0.2.1/x' /><style>body{display:none}</style>"
    (tmp_path / "evil.html").write_text(page.replace("</main>", f"{evil}</main>"))
    browser.look(1200, 900)
    browser.open(tmp_path / "evil.html")
    assert browser.run("document.title") == "Plan of web"
    assert browser.run("getComputedStyle(document.body).display") == "block"
    said = [one["params"]["entry"]["text"] for one in browser.seen if one["method"] == "Log.entryAdded"]
    assert len([one for one in said if "Content Security Policy" in one]) == 3, said


def test_who_cannot_see_it_hears_it(browser: Chrome) -> None:
    browser.look(360, 900)
    shown(browser, "change.html", plan_html.plan(report("web"), PICTURES["change"]()))
    nodes = browser.ask("Accessibility.getFullAXTree")["nodes"]
    roles = [one.get("role", {}).get("value") for one in nodes]
    images = [one for one in nodes if one.get("role", {}).get("value") in ("image", "img", "graphics-document")]
    assert [one["name"]["value"] for one in images] == ["Who may talk to whom in shop"]
    assert "+ new" in images[0]["description"]["value"]
    assert {"heading", "table", "columnheader", "rowheader", "row", "cell", "figure", "main"} <= {*roles}
    assert roles.count("table") == browser.run("document.querySelectorAll('table').length")


def test_it_prints_on_a4_and_no_box_is_cut(browser: Chrome) -> None:
    wide, high = 182 * 96 / 25.4, 269 * 96 / 25.4
    for name in PICTURES:
        browser.look(round(wide), 900, paper=True)
        shown(browser, f"{name}.html", plan_html.plan(report("web"), PICTURES[name]()))
        assert browser.run("document.querySelector('figure').getBoundingClientRect().height") < high
        assert browser.run("document.querySelector('svg').getBoundingClientRect().width") <= wide + 1
        whole = "[...document.querySelectorAll('tr, figure')].map(one => getComputedStyle(one).breakInside)"
        assert set(browser.run(whole)) == {"avoid"}
        browser.print(SHOTS / f"{name}.pdf")


def test_ten_thousand_rows_open_fast(browser: Chrome) -> None:
    usual = told.plan("web")
    changes = tuple(replace(usual.changes[0], address=f"instance.{number:05}") for number in range(10_000))
    browser.look(1200, 900)
    shown(browser, "many.html", plan_html.plan(replace(usual, changes=changes), PICTURES["thousand"]()))
    timing = json.loads(browser.run("JSON.stringify(performance.getEntriesByType('navigation')[0])"))
    print(f"opened in {timing['loadEventEnd']:.0f} ms")
    assert timing["loadEventEnd"] < 10_000, "about one second where nothing else runs"


@pytest.mark.parametrize("name", PICTURES)
def test_dot_in_graphviz(browser: Chrome, name: str) -> None:
    found = PICTURES[name]()
    drawn = subprocess.run(["dot", "-Tsvg"], input=dot(found).encode(), capture_output=True, check=True)
    assert drawn.stderr == b""
    browser.look(1400, 1000)
    shown(browser, f"{name}-dot.svg", drawn.stdout.decode())
    browser.shoot(SHOTS / f"{name}-dot.png")
    assert browser.run(measure.COLLISIONS) == []
    texts = browser.run("[...document.querySelectorAll('text')].map(one => one.textContent)")
    assert len(texts) >= len(found.nodes)
    assert name != "hostile" or any(HOSTILE[:30] in text.replace("\xa0", " ") for text in texts)


@pytest.mark.parametrize("name", PICTURES)
def test_mermaid(browser: Chrome, name: str, tmp_path: Path) -> None:
    """By Mermaid itself, which is what the forges draw with."""
    found = PICTURES[name]()
    (tmp_path / "empty.html").write_text("<!DOCTYPE html><meta charset=utf-8><body>")
    browser.look(1400, 1000)
    browser.open(tmp_path / "empty.html")
    browser.run(f"{MERMAID.read_text(encoding='utf-8')};0")
    draw = f"mermaid.render('drawn', {json.dumps(mermaid(found))})"
    browser.run(f"{draw}.then(one => {{ document.body.innerHTML = one.svg; }})")
    browser.shoot(SHOTS / f"{name}-mermaid.png")
    texts = browser.run("[...document.querySelectorAll('.nodeLabel, .cluster-label')].map(one => one.textContent)")
    assert len(texts) >= len(found.nodes) + len(found.flows)
    assert name != "hostile" or any(HOSTILE[:40] in text for text in texts), texts
    assert browser.run("document.querySelectorAll('script').length") == 0
    overlaps = """(() => {
      const boxes = [...document.querySelectorAll('.node')].map(one => one.getBoundingClientRect());
      return boxes.filter((one, at) => boxes.some((two, other) => other > at && one.left < two.right - 1
        && two.left < one.right - 1 && one.top < two.bottom - 1 && two.top < one.bottom - 1)).length;
    })()"""
    assert browser.run(overlaps) == 0
