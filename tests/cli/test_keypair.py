"""Key pairs from the command line: made, imported and listed, whatever else is wrong in the spec."""

import json
import stat
from pathlib import Path

import pytest

from tests.cli.specs import KEY
from tests.cli.terminal import Terminal
from tests.cli.test_session import SPEC

# Neither is right before there is a key pair `bob`, or ever in this version.
UNRIPE = SPEC.replace("[alice]", "[alice, bob]").replace("count: 2", "count: 2\n    paused: true")


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    terminal.write(SPEC)
    return terminal


def test_key_pairs_are_made_imported_and_listed(cloud: Terminal, tmp_path: Path) -> None:
    made = cloud.type("keypair", "create", "bob")
    assert made.code == 0, made.err
    private = tmp_path / "data" / "cloudsync" / "keys" / "demo" / "bob"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    body = private.read_text().splitlines()[1]
    assert body not in made.out + made.err + cloud.spec.read_text()
    assert "# the one who is on call" in cloud.spec.read_text()
    assert cloud.type("keypair", "create", "bob").code == 1
    pasted = cloud.type("keypair", "import", "mallory", str(private))
    assert pasted.code == 1
    assert body not in pasted.err
    assert cloud.type("keypair", "import", "carol", str(private) + ".pub").code == 0
    listed = json.loads(cloud.type("keypair", "list", "--format", "json").out)["keypairs"]
    assert [row["name"] for row in listed] == ["alice", "bob", "carol"]
    assert listed[0]["instances"] == ["web-1", "web-2"]
    assert listed[1]["sha256"] == listed[2]["sha256"] != listed[0]["sha256"]


def test_a_key_pair_is_made_before_what_uses_it_is_right(cloud: Terminal, tmp_path: Path) -> None:
    cloud.write(UNRIPE)
    made = cloud.type("keypair", "create", "bob")
    assert made.code == 0, made.err
    public = tmp_path / "data" / "cloudsync" / "keys" / "demo" / "bob.pub"
    cloud.write(UNRIPE)
    assert cloud.type("keypair", "import", "bob", str(public)).code == 0
    listed = json.loads(cloud.type("keypair", "list", "--format", "json").out)["keypairs"]
    assert [(row["name"], row["instances"]) for row in listed] == [
        (name, ["web-1", "web-2"]) for name in ("alice", "bob")
    ]


def test_what_is_wrong_with_the_key_pairs_themselves_is_told(cloud: Terminal) -> None:
    cloud.write(SPEC.replace(KEY, "{public_key_file: gone.pub}"))
    typed = cloud.type("keypair", "list")
    assert typed.code == 1
    assert "gone.pub" in typed.err
    cloud.write("keypairs: {")
    for words in (("list",), ("create", "bob"), ("import", "bob", "-")):
        assert cloud.type("keypair", *words).code == 1
    cloud.write(SPEC.replace("cloud: demo", "cloud: ../up"))
    assert "which cloud" in cloud.type("keypair", "create", "bob").err


def test_no_private_key_is_put_into_any_repository(cloud: Terminal, tmp_path: Path) -> None:
    """A worktree has a file of that name."""
    (tmp_path / "other" / "deep").mkdir(parents=True)
    (tmp_path / "other" / ".git").write_text("gitdir: elsewhere")
    (tmp_path / "link").symlink_to("other/deep")
    for place in (tmp_path / "other" / "deep" / "new" / "bob", tmp_path / "link" / "bob"):
        refused = cloud.type("keypair", "create", "bob", "--out", str(place))
        assert refused.code == 1
        assert "inside the Git repository" in refused.err
        assert not place.parent.exists() or not list(place.parent.iterdir())
    assert cloud.spec.read_text() == SPEC


def test_a_spec_beside_the_keys_is_no_repository(terminal: Terminal, tmp_path: Path) -> None:
    """Such as one in the home folder."""
    home = Terminal(tmp_path)
    home.write(SPEC)
    assert home.type("keypair", "create", "bob").code == 0
    assert (tmp_path / "data" / "cloudsync" / "keys" / "demo" / "bob").exists()


@pytest.mark.parametrize("name", ["a/b", "q/../../../zz/b", "", ".."])
def test_a_name_that_cannot_be_leaves_nothing_behind(terminal: Terminal, tmp_path: Path, name: str) -> None:
    terminal.write("version: 1\ncloud: demo\n")
    refused = terminal.type("keypair", "create", name)
    assert refused.code == 64
    assert "cannot name a key pair" in refused.err
    assert not (tmp_path / "data").exists()
