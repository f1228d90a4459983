"""Plans and diffs as they are put before reviewers: as a comment, and as a page."""

from pathlib import Path

import pytest

from tests.cli.specs import APART
from tests.cli.terminal import Terminal
from tests.cli.test_diff import REAL, committed
from tests.render.test_html import parsed, shown
from tests.render.test_markdown import TAGS, Page
from tests.spec.repository import Repository


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    Repository.new(terminal.folder)
    committed(terminal, REAL)
    return terminal


def test_a_stranger_writes_only_text_into_a_comment(cloud: Terminal) -> None:
    """All that the spec lets one write freely: descriptions, the values of metadata, the name of the file."""
    word = "</code></details><img src=https://evil.example> @org/team ``` [x](https://evil.example) <!--"
    told = 'security_groups:\n  odd: {description: "before"}\n'
    base = committed(cloud, REAL + told)
    text = REAL.replace("db: {", f"db: {{metadata: {{a: '{word}'}}, ") + told.replace("before", word)
    name = cloud.folder / "`@team` <b>.yaml"
    name.write_text(text)
    cloud.spec.unlink()
    head = Repository(cloud.folder).commit()
    typed = Terminal(cloud.folder, name.name).type("diff", f"{base}..{head}", "--format", "markdown")
    assert (typed.code, typed.err) == (0, "")
    page = Page(typed.out)
    assert page.tags <= TAGS
    assert not [part for part in ("evil", "@", "`") if part in "".join(page.plain)]
    assert "".join(page.code).count(word) == 2
    assert "`@team` <b>.yaml" in "".join(page.code)


def test_a_plan_as_markdown(cloud: Terminal) -> None:
    committed(cloud, APART)
    typed = cloud.type("plan", "--format", "markdown")
    assert typed.code == 0
    assert "<summary>Changes (6)</summary>" in typed.out
    assert Page(typed.out).tags <= TAGS


def test_a_page_of_a_change(cloud: Terminal) -> None:
    """Renamed, moved and made new in one picture; of an instance that nothing binds to a host no host is told."""
    text = REAL.replace("  db: {", "  data: {was: db, ") + "  new: {image: blank, flavor: small}\n"
    cloud.write(text)
    typed = cloud.type("diff", "--format", "html")
    assert (typed.code, typed.err) == (0, "")
    said = shown(parsed(typed.out))
    for words in ("What this change means for demo", "+ new", "~ changes", "on h1", "Diff: 1 to add, 1 to change"):
        assert words in said, words
    assert "no host yet" not in said
    assert "→ the working tree" in said
    committed(cloud, text)
    cloud.spec.unlink()
    typed = cloud.type("diff", "--format", "html")
    assert "what it has made stays as it is" in shown(parsed(typed.out))


def test_a_page_of_a_plan(cloud: Terminal, tmp_path: Path) -> None:
    committed(cloud, APART)
    assert "on h1" in shown(parsed(cloud.type("plan", "--format", "html").out))
    assert cloud.type("apply", "-y").code == 0
    still = shown(parsed(cloud.type("plan", "--format", "html").out))
    assert ("Nothing in it changes." in still, "Nothing to do." in still) == (True, True)
    assert cloud.type("status", "--save", str(tmp_path / "live")).code == 0
    committed(cloud, APART.replace("placement: {host: h2}", "placement: {host: h1}"))
    typed = cloud.type("diff", "HEAD~..HEAD", "--snapshot", str(tmp_path / "live"), "--format", "html")
    assert "on h1  (was h2)" in shown(parsed(typed.out))
