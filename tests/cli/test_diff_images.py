"""`diff` of image files that Git has and the spec gives no digest of: other bytes are another image."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.specs import APART
from tests.cli.terminal import Terminal
from tests.spec.repository import Repository

SPEC = APART.replace("'https://example.org/blank.qcow2', sha256: " + "ab" * 32, "'file:blank.raw'")
SECTOR = 512


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    Repository.new(terminal.folder)
    terminal.write(SPEC)
    (terminal.folder / ".gitignore").write_text(".cloudsync/\n")
    committed(terminal, b"a")
    return terminal


def committed(cloud: Terminal, content: bytes, name: str = "blank.raw") -> str:
    """What Git calls it."""
    (cloud.folder / name).write_bytes(content * SECTOR if len(content) == 1 else content)
    repository = Repository(cloud.folder)
    repository.commit()
    return repository.git("rev-parse", f"HEAD:{name}")


def pointer(content: bytes) -> bytes:
    named = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{named}\nsize {len(content)}\n".encode()


def printed(cloud: Terminal, *words: str) -> Any:
    return json.loads(cloud.type("diff", *words, "--format", "json").out)


def replaced(cloud: Terminal, *words: str) -> dict[str, tuple[str, str]]:
    """Instances that lose their disks, and the images that they go from and to."""
    found = [one for one in printed(cloud, *words)["changes"] if one["action"] == "replace" and one["destroys_data"]]
    fields = {one["address"]: {field["path"]: field for field in one["fields"]}["image"] for one in found}
    return {address: (field["before"], field["after"]) for address, field in fields.items()}


def test_other_bytes_are_another_image(cloud: Terminal) -> None:
    old = Repository(cloud.folder).git("rev-parse", "HEAD:blank.raw")
    new = committed(cloud, b"b")
    words = (f"blank git:{old[:12]}", f"blank git:{new[:12]}")
    assert replaced(cloud, "HEAD~..HEAD") == {"instance.db": words, "instance.web": words}
    assert replaced(cloud, "HEAD~") == {"instance.db": words, "instance.web": words}
    assert replaced(cloud, "HEAD") == {}
    assert f"+ image.blank   git:{new[:12]}" in cloud.type("diff", "HEAD~").out


def test_no_content_is_read(cloud: Terminal) -> None:
    """It may be larger than memory: Git may even have lost it."""
    new = committed(cloud, b"b")
    (cloud.folder / ".git/objects" / new[:2] / new[2:]).unlink()
    assert replaced(cloud, "HEAD~..HEAD").keys() == {"instance.db", "instance.web"}


def test_the_same_bytes_are_the_same_image_wherever_they_lie(cloud: Terminal) -> None:
    (cloud.folder / "blank.raw").rename(cloud.folder / "other.raw")
    cloud.write(SPEC.replace("file:blank.raw", "file:other.raw"))
    Repository(cloud.folder).commit()
    assert printed(cloud, "HEAD~..HEAD")["changes"] == []
    assert printed(cloud, "HEAD~..HEAD")["notes"] == []


def test_what_is_changed_in_the_working_tree_is_another_image(cloud: Terminal) -> None:
    file = cloud.folder / "blank.raw"
    file.write_bytes(b"a" * SECTOR)
    assert replaced(cloud) == {}, "written again, and the same"
    file.write_bytes(b"c" * SECTOR)
    after = Repository(cloud.folder).git("hash-object", "blank.raw")
    assert {there for _, there in replaced(cloud).values()} == {f"blank git:{after[:12]}"}


def test_a_pointer_of_git_lfs_says_which_image_it_is(cloud: Terminal) -> None:
    image = b"d" * SECTOR
    committed(cloud, pointer(image))
    assert replaced(cloud, "HEAD~..HEAD").keys() == {"instance.db", "instance.web"}
    assert replaced(cloud) == {}, "not pulled"
    (cloud.folder / "blank.raw").write_bytes(image)
    assert replaced(cloud) == {}, "pulled"
    (cloud.folder / "blank.raw").write_bytes(b"e" * SECTOR)
    assert replaced(cloud).keys() == {"instance.db", "instance.web"}
    (cloud.folder / "expected").write_bytes(pointer(b"e" * SECTOR))
    after = Repository(cloud.folder).git("hash-object", "expected")
    assert {there for _, there in replaced(cloud).values()} == {f"blank git:{after[:12]}"}


def test_an_image_that_is_not_pulled_says_so(cloud: Terminal) -> None:
    committed(cloud, pointer(b"d" * SECTOR))
    typed = cloud.type("validate")
    assert (typed.code, "it is a pointer of Git LFS in place of one" in typed.out) == (1, True)
    assert "git lfs pull" in typed.out


def test_no_filter_runs(cloud: Terminal, tmp_path: Path) -> None:
    """Whoever owns the repository has chosen it."""
    repository = Repository(cloud.folder)
    (cloud.folder / ".gitattributes").write_text("*.raw filter=trap\n")
    repository.commit()
    for key in ("clean", "smudge", "process"):
        repository.git("config", f"filter.trap.{key}", f"touch {tmp_path}/sprung; cat")
    (cloud.folder / "blank.raw").write_bytes(b"h" * SECTOR)
    assert replaced(cloud).keys() == {"instance.db", "instance.web"}
    assert replaced(cloud, "HEAD~..HEAD") == {}
    assert not (tmp_path / "sprung").exists()


def test_what_git_does_not_have_stays_as_it_is(cloud: Terminal) -> None:
    (cloud.folder / ".gitignore").write_text(".cloudsync/\n*.raw\n")
    Repository(cloud.folder).git("rm", "-q", "--cached", "blank.raw")
    Repository(cloud.folder).commit()
    found = printed(cloud, "HEAD~..HEAD")
    assert found["changes"] == []
    assert "image blank is in Git now, or no longer, without a sha256" in found["notes"][0]
    (cloud.folder / "blank.raw").write_bytes(b"f" * SECTOR)
    cloud.write(SPEC + "# the same\n")
    Repository(cloud.folder).commit()
    for span in ("HEAD~..HEAD", "HEAD"):
        assert (printed(cloud, span)["changes"], printed(cloud, span)["notes"]) == ([], [])


def test_a_digest_that_is_only_written_down_is_no_change(cloud: Terminal) -> None:
    said = SPEC.replace("'file:blank.raw'", "'file:blank.raw', sha256: " + hashlib.sha256(b"a" * SECTOR).hexdigest())
    cloud.write(said)
    Repository(cloud.folder).commit()
    assert printed(cloud, "HEAD~..HEAD")["changes"] == []
    cloud.write(SPEC)
    committed(cloud, b"g")
    assert replaced(cloud, "HEAD~..HEAD").keys() == {"instance.db", "instance.web"}
    assert replaced(cloud, "HEAD~~..HEAD").keys() == {"instance.db", "instance.web"}


def test_with_a_snapshot_only_what_git_changed_is_changed(cloud: Terminal, tmp_path: Path) -> None:
    live = str(tmp_path / "live.json")
    assert cloud.type("apply", "-y").code == 0
    assert cloud.type("status", "--save", live).code == 0
    cloud.write(SPEC + "# the same\n")
    Repository(cloud.folder).commit()
    assert cloud.type("diff", "HEAD~..HEAD", "--snapshot", live, "--detailed-exitcode").code == 0
    new = committed(cloud, b"b")
    plan = json.loads(cloud.type("diff", "HEAD~..HEAD", "--snapshot", live, "--format", "json").out)
    here = f"blank sha256:{hashlib.sha256(b'a' * SECTOR).hexdigest()[:12]}"
    images = {
        (field["before"], field["after"])
        for one in plan["changes"]
        for field in one["fields"]
        if field["path"] == "image"
    }
    assert images == {(here, f"blank git:{new[:12]}")}
    cloud.write("broken: [")
    Repository(cloud.folder).commit()
    cloud.write(SPEC)
    typed = cloud.type("diff", "HEAD", "--snapshot", live)
    assert "blank: taken to be what the hosts have" in typed.out + typed.err
    assert "Nothing to do" in typed.out
