"""A key pair is put into a spec without another byte moving, whatever shape the section has."""

from pathlib import Path

import pytest

from cloudsync.model.problem import CloudsyncError, SpecError
from cloudsync.spec.document import read
from cloudsync.spec.edit import add_keypair
from tests.spec.spec_text import KEY, write

EXAMPLE = Path(__file__).parent / "example.yaml"


def edited(folder: Path, text: str, name: str = "bob", key: str = KEY) -> str:
    path = folder / "cloud.yaml"
    path.write_bytes(text.encode())
    add_keypair(path, name, key)
    return path.read_bytes().decode()


def added(before: str, after: str) -> list[str]:
    """The lines that are new; what was there is there still, in order."""
    old, new = before.split("\n"), after.split("\n")
    found = []
    for line in new:
        if old and line == old[0]:
            old.pop(0)
        else:
            found.append(line)
    assert not old
    return found


def test_the_example_gets_one_line(tmp_path: Path) -> None:
    before = EXAMPLE.read_text(encoding="utf-8")
    assert added(before, edited(tmp_path, before)) == [f"  bob: {KEY}"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("version: 1\nkeypairs:\n    # team\n    alice: a # old\n\n    # next\nhosts: {}\n", f"    bob: {KEY}"),
        ("keypairs:\n  alice:\n    public_key_file: a.pub\nversion: 1\n", f"  bob: {KEY}"),
        ("keypairs:\n  alice: {public_key_file: a.pub}", f"  bob: {KEY}"),
        ("version: 1\nkeypairs:\nhosts: {}\n", f"  bob: {KEY}"),
        ("version: 1\nkeypairs: # none yet\n", f"  bob: {KEY}"),
        ('version: "1"\r\nkeypairs:\r\n  alice: a\r\ncloud: x\r\n', f"  bob: {KEY}\r"),
    ],
)
def test_block_style(tmp_path: Path, text: str, line: str) -> None:
    after = edited(tmp_path, text)
    assert added(text.rstrip("\n"), after.rstrip("\n")) == [line]
    assert read(tmp_path / "cloud.yaml").root["keypairs"]["bob"] == KEY


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("version: 1\n", f"version: 1\n\nkeypairs:\n  bob: {KEY}\n"),
        ("version: 1", f"version: 1\n\nkeypairs:\n  bob: {KEY}\n"),
        (
            "version: 1 # one\nkeypairs: {}\nhosts: {a:   'b'} # two\n",
            f"version: 1 # one\nkeypairs:\n  bob: {KEY}\nhosts: {{a:   'b'}} # two\n",
        ),
        ('keypairs: {alice: "a"} # old\nx: 1\n', f'keypairs: {{alice: "a", bob: {KEY}}} # old\nx: 1\n'),
        ("\ufeffversion: 1\n", f"\ufeffversion: 1\n\nkeypairs:\n  bob: {KEY}\n"),
    ],
)
def test_other_shapes(tmp_path: Path, text: str, after: str) -> None:
    assert edited(tmp_path, text) == after


@pytest.mark.parametrize(
    "text", ["{version: 1}\n", "version: 1\n...\n", "a: |\n  text\n\n\n", "keypairs:\n  a: >\n    b\n\n    c\n  d: e\n"]
)
def test_odd_files_still_say_what_they_said(tmp_path: Path, text: str) -> None:
    before = read(write(tmp_path, text)).root
    edited(tmp_path, text)
    after = read(tmp_path / "cloud.yaml").root
    assert after == {**before, "keypairs": {**(before.get("keypairs") or {}), "bob": KEY}}


@pytest.mark.parametrize(
    ("name", "comment"),
    [
        ("true", ""),
        ("12", ""),
        ("a b", ""),
        ("@home", "x: y"),
        ("-", "a # b"),
        ("null", "k:"),
        ("a.b", 'say "hi"'),
        ("x", "ключ"),
    ],
)
def test_names_and_comments_that_need_quotes(tmp_path: Path, name: str, comment: str) -> None:
    key = f"{KEY.rpartition(' ')[0]} {comment}".strip()
    for text in ("version: 1\n", "keypairs: {alice: a}\n"):
        edited(tmp_path, text, name, key)
        assert read(tmp_path / "cloud.yaml").root["keypairs"][name] == key


def test_a_taken_name(tmp_path: Path) -> None:
    path = write(tmp_path, "version: 1\nkeypairs: {bob: x}\n")
    with pytest.raises(SpecError) as caught:
        add_keypair(path, "bob", KEY)
    assert str(caught.value.problems[0].place) == f"{path}:2:12"
    assert path.read_text() == "version: 1\nkeypairs: {bob: x}\n"


@pytest.mark.parametrize(
    ("name", "key"),
    [("a/b", KEY), ("", KEY), ("bob\n", KEY), ("bob", "not a key"), ("bob", "-----BEGIN RSA PRIVATE KEY-----")],
)
def test_refused(tmp_path: Path, name: str, key: str) -> None:
    path = write(tmp_path, "version: 1\n")
    with pytest.raises(CloudsyncError):
        add_keypair(path, name, key)
    assert path.read_text() == "version: 1\n"


@pytest.mark.parametrize("text", ["a: [", "", "keypairs: [a]\n", "a: 1\na: 2\n"])
def test_a_broken_spec_is_left_alone(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SpecError):
        add_keypair(path, "bob", KEY)
    assert path.read_text() == text


def test_mode_and_link_are_kept(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    path = write(tmp_path / "real", "version: 1\n")
    path.chmod(0o640)
    link = tmp_path / "cloud.yaml"
    link.symlink_to("real/cloud.yaml")
    add_keypair(link, "bob", KEY)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert "bob" in path.read_text()
    assert [entry.name for entry in path.parent.iterdir()] == ["cloud.yaml"]
