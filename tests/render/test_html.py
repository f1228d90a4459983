"""The page of a plan, or of a change: what a stranger wrote is text in it, it asks for nothing, and it stays small."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from xml.etree import ElementTree

import pytest

from cloudsync.model.difference import Difference, Fate
from cloudsync.model.plan import Change, Exposed, Exposure, Plan
from cloudsync.reach.picture import Flow, Mark, Node, Picture, Standing
from cloudsync.render import plan_html, plan_markdown
from cloudsync.render.html import Html, tag
from cloudsync.render.plan_html import MOST_FLOWS, MOST_NODES, MOST_ROWS
from tests.render.test_hostile import NASTY, plan
from tests.render.test_markdown import HOSTILE, difference

XHTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
TAGS = {
    *(XHTML + name for name in ("html", "head", "meta", "title", "style", "body", "header", "main", "section")),
    *(XHTML + name for name in ("h1", "h2", "p", "code", "b", "table", "caption", "thead", "tbody", "tr", "th", "td")),
    *(XHTML + name for name in ("figure", "figcaption", "div")),
    *(SVG + name for name in ("svg", "title", "desc", "g", "rect", "text", "path", "circle")),
}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "role", "scope", "tabindex", "data-column", "id"),
    *(
        "aria-label",
        "aria-labelledby",
        "aria-describedby",
        "viewBox",
        "width",
        "height",
        "x",
        "y",
        "rx",
        "d",
        "cx",
        "cy",
        "r",
    ),
    *("stroke", "fill", "text-anchor"),
}


def picture(word: str, many: int = 1) -> Picture:
    nodes = tuple(
        Node(
            id=f"n{number}",
            names=(f"instance.{word}{number}",),
            networks=(word,),
            groups=(word,),
            groups_before=(),
            hosts={word: 1},
            hosts_before={"": 1},
            mark=Mark.CHANGED if number == many - 1 else Mark.SAME,
        )
        for number in range(many)
    )
    flows = tuple(
        Flow(sources=(one.id,), targets=("n0",), services=(word,), mark=Mark.GONE if one.mark else Mark.SAME)
        for one in nodes
    )
    standing = Standing(before=(word,), after=None)
    return Picture(
        cloud=word,
        nodes=nodes,
        flows=flows,
        networks={word: word},
        groups={word: standing},
        hosts={word: standing},
        compared=True,
    )


def pages(found: Plan, word: str, many: int = 1) -> Iterator[str]:
    yield plan_html.plan(found, picture(word, many))
    yield plan_html.difference(difference(found, word), picture(word, many))


def parsed(page: str) -> ElementTree.Element:
    """Strictly: one mark of a stranger's that got through, and this fails or finds it."""
    tree = ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    assert {one.tag for one in tree.iter()} <= TAGS
    assert {name for one in tree.iter() for name in one.attrib} <= ATTRIBUTES
    return tree


def shown(tree: ElementTree.Element) -> str:
    return "".join(tree.itertext())


@pytest.mark.parametrize("word", [*HOSTILE, NASTY])
def test_what_a_stranger_wrote_is_text(word: str) -> None:
    for page in pages(replace(plan(word), cloud=word), word):
        said = shown(parsed(page))
        assert all(char == "\n" or char.isprintable() for char in said)
        if word.isprintable():
            assert word in said


def test_the_policy_lets_only_our_own_style_in() -> None:
    for page in pages(plan("web"), "web"):
        tree = parsed(page)
        (style,) = tree.iter(f"{XHTML}style")
        (policy,) = (one for one in tree.iter(f"{XHTML}meta") if one.get("http-equiv"))
        digest = b64encode(sha256((style.text or "").encode()).digest()).decode()
        assert policy.get("http-equiv") == "Content-Security-Policy"
        assert policy.get("content") == (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        )
        assert list(tree.iter()).index(policy) < list(tree.iter()).index(style)
        assert "url(" not in page
        assert page.count("http") == page.count("http://www.w3.org/") + page.count("http-equiv")


def test_it_says_what_the_comment_says() -> None:
    found = plan("web")
    comment, page = plan_markdown.plan(found), plan_html.plan(found, picture("web"))
    titles = [line.split("<summary>")[1].split("</summary>")[0] for line in comment.splitlines() if "<summary>" in line]
    headings = [one.text for one in parsed(page).iter(f"{XHTML}h2")]
    assert len(titles) > 6
    assert set(titles) == {*headings} - {"Before and after", "Instances by host (1)", "Instances by group (1)"}
    for line in ("1 × destroys-data", "❌ 1 × expectation does not hold", "Plan: 5 to add"):
        assert line in comment.replace("&#58;", ":")
        assert line.replace("❌", "✗") in shown(parsed(page))


def test_every_table_has_headers_a_caption_and_words_for_its_signs() -> None:
    tree = parsed(plan_html.plan(plan("web"), picture("web")))
    tables = list(tree.iter(f"{XHTML}table"))
    assert tables
    for table in tables:
        assert [one.get("scope") for one in table.iter(f"{XHTML}th")].count("col") >= 1
        assert all(any(one.get("scope") == "row" for one in row) for row in table.find(f"{XHTML}tbody") or ())
        assert table.find(f"{XHTML}caption") is not None
        for cell in (one for one in table.iter(f"{XHTML}td") if one.get("class") == "kind"):
            assert not list(cell) or (list(cell)[-1].tail or "").strip(), "a sign without a word"


def test_the_picture_is_told_to_who_cannot_see_it() -> None:
    (drawing,) = parsed(plan_html.plan(plan("web"), picture("web", 3))).iter(f"{SVG}svg")
    told = {one.get("id"): one.text or "" for one in drawing if one.get("id")}
    assert (drawing.get("aria-labelledby"), drawing.get("aria-describedby")) == ("drawn", "told")
    assert told["told"] == "− goes web2 → web0 web; web0 → web0 web; web1 → web0 web"


@pytest.mark.slow
def test_ten_thousand_instances_make_a_small_page() -> None:
    usual = plan("web")
    kind: Change = usual.changes[0]
    changes = tuple(replace(kind, address=f"instance.{number:05}") for number in range(10_000))
    exposed = Exposed(sources=("instance.a",), targets=("instance.b",), services=("tcp/1",))
    wide = replace(usual, changes=changes, warnings=("w" * 90_000,) * 9, exposure=Exposure(added=(exposed,) * 10_000))
    for page in pages(wide, "web", 10_000):
        assert len(page) < 2_000_000
        tree = parsed(page)
        assert sum(one.get("class", "").startswith("node") for one in tree.iter(f"{SVG}rect")) == MOST_NODES
        assert len(list(tree.iter(f"{SVG}g"))) <= MOST_NODES + MOST_FLOWS
        assert len(list(tree.iter(f"{XHTML}tr"))) < 3 * MOST_ROWS
        assert "… and 9,000 more; all of them: --format json" in shown(tree)
        assert "and 9,976 instances" in shown(tree)
        assert "web9999" in shown(tree), "what changes is drawn before what does not"


def test_a_spec_that_is_removed_has_no_picture() -> None:
    gone: Difference = replace(difference(Plan(cloud="demo")), fate=Fate.REMOVED)
    tree = parsed(plan_html.difference(gone, None))
    assert list(tree.iter(f"{SVG}svg")) == []
    assert "what it has made stays as it is" in shown(tree)


def test_markup_is_what_was_made_as_markup() -> None:
    assert tag("p", "<b>", tag("b", '"'), class_='"x') == '<p class="&quot;x">&lt;b&gt;<b>&quot;</b></p>'
    assert isinstance(tag("p"), Html)
