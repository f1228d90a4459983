"""Links that lead in a circle, wherever a path can be given: said as the system says it, and no bug."""

import pytest

from tests.cli.terminal import Terminal
from tests.cli.test_diff import REAL, committed
from tests.spec.repository import Repository

SAID = "too many levels of symbolic links"


@pytest.fixture
def circled(terminal: Terminal) -> Terminal:
    """A good commit, then one whose spec is a link to itself, and which has a and b that lead to one another."""
    repository = Repository.new(terminal.folder)
    committed(terminal, REAL)
    terminal.spec.unlink()
    terminal.spec.symlink_to("cloud.yaml")
    for folder in (terminal.folder, terminal.folder.parent):
        (folder / "a").symlink_to("b")
        (folder / "b").symlink_to("a")
    repository.commit()
    repository.git("remote", "add", "origin", str(terminal.folder))
    return terminal


@pytest.mark.parametrize("spec", ["cloud.yaml", "a", "a/cloud.yaml"])
@pytest.mark.parametrize(
    "words",
    [
        ("validate",),
        ("validate", "--format", "github"),
        ("plan",),
        ("diff",),
        ("diff", "HEAD"),
        ("diff", "HEAD~..HEAD"),
        ("graph", "--out", "new.svg"),
        ("keypair", "list"),
    ],
)
def test_a_spec_that_leads_nowhere(circled: Terminal, spec: str, words: tuple[str, ...]) -> None:
    typed = Terminal(circled.folder, spec).type(*words)
    assert (typed.code, SAID in (typed.out + typed.err).lower()) == (1, True), typed.err


def test_a_branch_is_not_followed_to_it(circled: Terminal) -> None:
    typed = Terminal(circled.folder, "a/cloud.yaml").type("watch", "--git", "origin/main")
    assert (typed.code, SAID in typed.err) == (1, True), typed.err


@pytest.mark.parametrize(
    "words",
    [
        ("status", "--save", "a"),
        ("status", "--save", "a/file"),
        ("plan", "--out", "a"),
        ("plan", "--snapshot", "a"),
        ("apply", "a"),
        ("graph", "--out", "a"),
        ("graph", "--out", "a/file"),
        ("watch", "--git", "origin/main", "--status-file", "a"),
        ("watch", "--git", "origin/main", "--status-file", "a/file"),
    ],
)
def test_another_file_that_leads_nowhere(
    circled: Terminal, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(circled.folder)
    (circled.folder / "good.yaml").write_text(
        REAL.replace("qemu+ssh://root@h1.invalid/system", "sim:").replace("qemu+ssh://root@h2.invalid/system", "sim:")
    )
    typed = Terminal(circled.folder, "good.yaml").type(*words)
    assert (typed.code, SAID in typed.err.lower()) == (1, True), typed.err


def test_a_key_is_not_put_there(circled: Terminal) -> None:
    """What is in the way is taken for a file."""
    circled.spec.unlink()
    circled.write(REAL)
    typed = circled.type("keypair", "create", "new", "--out", str(circled.folder.parent / "a" / "file"))
    assert (typed.code, "a/file: file exists\n" in typed.err) == (1, True), typed.err
