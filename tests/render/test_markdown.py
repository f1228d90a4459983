"""Comments on strangers' pull requests: what they wrote is text within code, whatever it is, and it always fits."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from cloudsync.model.difference import Alike, Difference, Fate, Side
from cloudsync.model.plan import Change, Exposed, Exposure, Plan
from cloudsync.render import plan_markdown
from cloudsync.render.markdown import LONGEST, fenced, inline, shares, units
from tests.render.test_hostile import plan

GITHUB = 65_535
TAGS = {"h3", "p", "strong", "code", "details", "summary", "pre"}
HOSTILE = [
    "@org/team #1 https://evil.example www.evil.example me@evil.example",
    "[a](https://evil.example) ![i](https://evil.example/x.png) <https://evil.example>",
    "</code></pre></details><img src=https://evil.example/x onerror=alert(1)><script>evil</script>",
    "`` ``` ```` ``````````",
    "`````",
    "a\n```\n\n<img src=evil>\n~~~\n\n# evil\r\n> evil\n* * *",
    "<!-- evil --> --> ]]> <?evil?> <![CDATA[evil",
    "\\` \\</code> &lt;b&gt; &#64;evil $`evil`$ $$evil$$",
    "``` suggestion :evil: ${{ evil }} ::error::evil",
    "\u202eevil\u200b\x1b[2J\ud7ff",
]


class Page(HTMLParser):
    """What a page shows, apart: within code, and not."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.code: list[str] = []
        self.plain: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.comments: list[str] = []
        self._open: list[str] = []
        self.feed(MarkdownIt("commonmark").enable("table").render(markdown))
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(attrs)
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        (self.code if "code" in self._open else self.plain).append(data)


def difference(found: Plan, word: str = "x") -> Difference:
    return Difference(
        base=Side(commit="", file=word),
        head=Side(commit="", file=word),
        fate=Fate.MOVED,
        plan=found,
        alike=(Alike(name=word, was=word),),
    )


@pytest.mark.parametrize("word", HOSTILE)
def test_what_a_stranger_wrote_is_text_in_code(word: str) -> None:
    found = replace(plan(word), cloud=word)
    for text in (plan_markdown.plan(found), plan_markdown.difference(difference(found, word))):
        page = Page(text)
        assert page.tags <= TAGS
        assert page.attributes <= {("open", None), ("open", ""), ("class", "language-diff")}
        assert len(page.comments) == 1
        shown = "".join(page.plain)
        for part in ("evil", "@", "#", "http", "`", "team", "<", "["):
            assert part not in shown
        assert "instance." in "".join(page.code)


@pytest.mark.parametrize("word", HOSTILE)
def test_a_word_is_shown_as_it_was_written(word: str) -> None:
    line = word.replace("\n", " ").replace("\r", " ")
    if line.isprintable():
        assert "".join(Page(inline(line)).code) == line
        assert "".join(Page(fenced([line])).code) == f"{line}\n"


@pytest.mark.parametrize("many", [0, 1, 10, 2_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_comment_fits_and_counts_the_rest(many: int) -> None:
    usual = plan("web")
    kind: Change = usual.changes[0]
    changes = tuple(replace(kind, address=f"instance.{number:05}", fields=kind.fields * 2) for number in range(many))
    exposed = Exposed(sources=("instance.a",), targets=("instance.b",), services=("tcp/1",))
    warnings = ("w" * 90_000,) * min(many, 200) + ("w",) * max(0, many - 200)
    wide = replace(usual, changes=changes, warnings=warnings, exposure=Exposure(added=(exposed,) * many))
    for text in (plan_markdown.plan(wide), plan_markdown.difference(difference(wide, "\U0001f600" * 1_000))):
        assert units(text) < GITHUB
        assert f"<summary>Changes ({many:,})</summary>" in text or not many
        assert Page(text).tags <= TAGS
        assert ("more\n" in text) is (many >= 2_000)
        assert many < 2_000 or units(text) > 50_000


def test_what_disturbs_most_is_never_left_out() -> None:
    usual = plan("web")
    last = replace(usual.changes[-1], address="instance.zzz")
    crowd = tuple(replace(usual.changes[0], address=f"instance.{number:05}") for number in range(5_000))
    text = plan_markdown.plan(replace(usual, changes=(*crowd, last)))
    assert "instance.zzz" in text
    assert "1 × destroys-data" in text


def test_a_long_line_is_cut() -> None:
    assert len(fenced(["x" * 100_000])) < LONGEST + 50


@pytest.mark.parametrize(
    ("sizes", "room", "given"),
    [([10, 10], 100, [10, 10]), ([10, 500, 500], 100, [10, 45, 45]), ([], 5, []), ([7, 90], 20, [7, 13])],
)
def test_who_needs_little_leaves_the_rest_to_others(sizes: list[int], room: int, given: list[int]) -> None:
    assert shares(sizes, room) == given
