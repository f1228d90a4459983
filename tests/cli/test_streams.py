"""A closed or full standard output, and places that cannot be written to: told as what they are, never as a bug."""

import subprocess
import sys

import pytest

from tests.cli.terminal import Terminal

SPEC = "version: 1\ncloud: demo\nhosts: {kvm-1: {uri: 'sim:'}}\n"


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    terminal.write(SPEC)
    return terminal


def shell(cloud: Terminal, command: str) -> tuple[int, str]:
    """With `$PROGRAM` for cloudsync; the code and what it said on stderr."""
    environment = {"PROGRAM": f"{sys.executable} -m cloudsync -f {cloud.spec}", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(["sh", "-c", command], env=environment, cwd=cloud.folder, capture_output=True, text=True)
    return done.returncode, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("$PROGRAM plan >&-", "error: standard output is closed\n"),
        ("$PROGRAM plan >/dev/full", "error: standard output: no space left on device\n"),
        ("$PROGRAM --help >/dev/full", "error: no space left on device\n"),
        ("$PROGRAM schema | true", ""),
    ],
)
def test_output_that_cannot_be_written(cloud: Terminal, command: str, said: str) -> None:
    code, err = shell(cloud, command)
    assert err.startswith(said)
    assert "bug" not in err
    assert "Exception" not in err
    assert code == (1 if said else 0)


@pytest.mark.slow
def test_talk_that_nobody_can_hear_changes_nothing(cloud: Terminal) -> None:
    assert shell(cloud, "$PROGRAM validate 2>&-") == (0, "")
    assert shell(cloud, "$PROGRAM validate 2>/dev/full") == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize(("locale", "style"), [("LC_ALL=C PYTHONUTF8=0", "text"), ("PYTHONIOENCODING=latin-1", "html")])
def test_what_is_kept_is_utf_8_in_any_locale(cloud: Terminal, locale: str, style: str) -> None:
    cloud.write(SPEC + "networks: {default: {subnet: 10.20.0.0/24}}\n")
    assert shell(cloud, f"{locale} $PROGRAM plan --format {style} >kept") == (0, "")
    assert "✓" in (cloud.folder / "kept").read_text(encoding="utf-8")


@pytest.mark.parametrize("place", ["/proc/nowhere/key", "/dev/full/key", "/proc/key"])
def test_a_key_that_cannot_be_written(cloud: Terminal, place: str) -> None:
    before = cloud.spec.read_text()
    typed = cloud.type("keypair", "create", "bob", "--out", place)
    assert typed.code == 1
    assert typed.err.startswith(f"error: {place}: ")
    assert "--out" in typed.err
    assert cloud.spec.read_text() == before
