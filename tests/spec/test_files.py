"""Files of a spec stay inside the fence, whatever leads out of it; images are hashed once."""

import json
import os
from pathlib import Path

import pytest

from cloudsync.model.problem import SpecError
from cloudsync.spec.digests import Digests, cache_path
from cloudsync.spec.document import read as read_document
from cloudsync.spec.files import FileProblem, Folder, near, read
from cloudsync.spec.load import load
from tests.spec.spec_text import write

SECTOR = b"tiny".ljust(512, b"\0")
TINY = "53d7cbe91f7b4418ae0349d791acabb0f552336c562bf8506206eb6303a14eb7"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """repo/.git, repo/clouds/cloud.yaml, repo/keys/a.pub, secret outside."""
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/clouds").mkdir()
    (tmp_path / "repo/keys").mkdir()
    (tmp_path / "repo/keys/a.pub").write_text("a")
    (tmp_path / "secret").write_text("s")
    (tmp_path / "repo/clouds/cloud.yaml").write_text("")
    return tmp_path


def test_inside_git_everything_up_to_the_top(tree: Path) -> None:
    folder = Folder.of(tree / "repo/clouds/cloud.yaml")
    assert folder.git
    assert folder.find("../keys/a.pub") == (tree / "repo/keys/a.pub").resolve()


def test_without_git_only_the_folder(tree: Path) -> None:
    (tree / "repo/.git").rmdir()
    folder = Folder.of(tree / "repo/clouds/cloud.yaml")
    if folder.git:
        return  # the test's own folder lies in a repository
    with pytest.raises(FileProblem, match="outside the spec's folder"):
        folder.find("../keys/a.pub")


@pytest.mark.parametrize("way", ["../../secret", "link", "through/secret", "ABSOLUTE", "chain"])
def test_no_way_out(tree: Path, way: str) -> None:
    home = tree / "repo/clouds"
    (home / "link").symlink_to("../../secret")
    (home / "chain").symlink_to("link")
    (home / "through").symlink_to(tree, target_is_directory=True)
    with pytest.raises(FileProblem, match="outside the Git repository"):
        Folder.of(home / "cloud.yaml").find(str(tree / "secret") if way == "ABSOLUTE" else way)


@pytest.mark.parametrize("way", ["../.git/config", "link", "../sub/.git", "../.GIT/config"])
def test_what_git_keeps_for_itself_is_outside(tree: Path, way: str) -> None:
    for file in ("repo/.git/config", "repo/.GIT/config", "repo/sub/.git"):
        (tree / file).parent.mkdir(exist_ok=True)
        (tree / file).write_text("token")
    (tree / "repo/clouds/link").symlink_to("../.git/config")
    with pytest.raises(FileProblem, match="belongs to Git"):
        Folder.of(tree / "repo/clouds/cloud.yaml").find(way)


def test_a_linked_spec_lives_where_it_really_is(tree: Path) -> None:
    (tree / "cloud.yaml").symlink_to("repo/clouds/cloud.yaml")
    assert Folder.of(tree / "cloud.yaml").home == (tree / "repo/clouds").resolve()


@pytest.mark.parametrize(
    ("link", "target", "spec"),
    [
        ("cloud2.yaml", "../../secret", "cloud2.yaml"),
        ("cloud2.yaml", "../.git/config", "cloud2.yaml"),
        ("deep", "../..", "deep/secret"),
        ("cloud2.yaml", "/proc/self/environ", "cloud2.yaml"),
        ("cloud2.yaml", "../../secret", "../../mine.yaml"),
    ],
)
def test_no_spec_is_a_link_out_of_its_repository(tree: Path, link: str, target: str, spec: str) -> None:
    """As a stranger's pull request might have it: what is read as a spec is shown where it is no spec."""
    (tree / "repo/.git/config").write_text("token = swordfish")
    (tree / "secret").write_text("password: swordfish")
    (tree / "mine.yaml").symlink_to("repo/clouds/cloud2.yaml")
    (tree / "repo/clouds" / link).symlink_to(target)
    for asked in (read_document, load):
        with pytest.raises(SpecError) as caught:
            asked(tree / "repo/clouds" / spec)
        (problem,) = caught.value.problems
        assert "a link:" in problem.message
        assert "swordfish" not in f"{problem}"
        assert problem.hint.startswith("if it is meant: -f /")


def test_a_spec_that_links_within_its_repository_or_into_one_is_read(tree: Path) -> None:
    (tree / "repo/clouds/cloud.yaml").write_text("version: 1\n")
    (tree / "repo/clouds/also.yaml").symlink_to("cloud.yaml")
    (tree / "outside.yaml").symlink_to("repo/clouds/cloud.yaml")
    (tree / "way").symlink_to("repo", target_is_directory=True)
    for spec in ("repo/clouds/also.yaml", "outside.yaml", "way/clouds/cloud.yaml", "way/clouds/also.yaml"):
        assert read_document(tree / spec).text == "version: 1\n"


def test_what_is_no_file(tree: Path) -> None:
    home = tree / "repo/clouds"
    os.mkfifo(home / "pipe")
    (home / "loop").symlink_to("loop")
    folder = Folder.of(home / "cloud.yaml")
    for written, words in {
        "pipe": "not a regular file",
        "loop": "loop",
        "../keys": "folder",
        "clod.yaml": "no file",
        "cloud.yaml/x": "no file|not a dir",
        "a\0b": "no file is named",
        "x" * 300: "too long",
    }.items():
        with pytest.raises(FileProblem, match=words):
            folder.find(written)
    with pytest.raises(FileProblem) as caught:
        folder.find("clod.yaml")
    assert caught.value.hint == 'did you mean "cloud.yaml"?'


def test_a_file_of_the_same_kind_and_a_folder_are_not_what_was_meant(tree: Path) -> None:
    home = tree / "repo/clouds"
    (home / "web.qcow2").touch()
    (home / "debian-13.d").mkdir()
    for written in ("db.qcow2", "debian-12.d"):
        assert near(home, written) == f"it was looked for in {home}"
    (home / "debian-13.qcow2").touch()
    assert near(home, "debian-12.qcow2") == 'did you mean "debian-13.qcow2"?'


def test_a_file_swapped_for_a_link_is_not_followed(tree: Path) -> None:
    home = tree / "repo/clouds"
    path = Folder.of(home / "cloud.yaml").find("cloud.yaml")
    path.unlink()
    path.symlink_to("../../secret")
    with pytest.raises(FileProblem):
        read(path, 100, "cloud.yaml")


def test_limit(tree: Path) -> None:
    path = tree / "repo/keys/a.pub"
    path.write_bytes(b"x" * 10)
    assert read(path, 10, "a.pub") == b"x" * 10
    with pytest.raises(FileProblem, match="has 10 bytes, and at most 9"):
        read(path, 9, "a.pub")


def test_an_image_is_hashed_once(tmp_path: Path) -> None:
    image, memory = tmp_path / "tiny.raw", tmp_path / "cache/digests.json"
    image.write_bytes(SECTOR)
    digests = Digests(memory)
    assert digests.of(image) == TINY
    digests.save()
    (key,) = json.loads(memory.read_text())
    memory.write_text(json.dumps({key: "f" * 64}))
    assert Digests(memory).of(image) == "f" * 64, "the memory was not used"
    os.utime(image, ns=(1, 1))
    assert Digests(memory).of(image) == TINY, "a changed file was not hashed again"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff", b'{"x": 1}', b"[" * 100_000, b'{"a": "zz"}'])
def test_a_damaged_memory_is_ignored(tmp_path: Path, damage: bytes) -> None:
    image, memory = tmp_path / "tiny.raw", tmp_path / "digests.json"
    image.write_bytes(SECTOR)
    memory.write_bytes(damage)
    digests = Digests(memory)
    assert digests.of(image) == TINY
    digests.save()
    assert list(json.loads(memory.read_text()).values()) == [TINY]


def test_a_memory_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    image = tmp_path / "tiny.raw"
    image.write_bytes(SECTOR)
    digests = Digests(image / "no/folder")
    assert digests.of(image) == TINY
    digests.save()


@pytest.mark.parametrize("form", ["file:tiny.raw", "file:ABS", "file://ABS"])
def test_an_image_may_be_anywhere(tmp_path: Path, form: str) -> None:
    (tmp_path / "spec").mkdir()
    near, far = tmp_path / "spec/tiny.raw", tmp_path / "far/tiny image.raw"
    far.parent.mkdir()
    far.write_bytes(SECTOR)
    near.symlink_to(far)
    path = str(far).replace(" ", "%20") if form.startswith("file://") else str(far)
    source = form.replace("ABS", path)
    text = f"version: 1\ncloud: demo\nimages: {{tiny: {{source: '{source}', sha256: {TINY.upper()}}}}}\n"
    image = load(write(tmp_path / "spec", text)).images["tiny"]
    assert (image.source, image.sha256) == (str(far.resolve()), TINY)
    assert TINY in cache_path().read_text()


@pytest.mark.parametrize(
    ("content", "declared", "why"),
    [
        (b"root:x:0:0\n", "", "its 11 bytes are not whole sectors of 512"),
        (SECTOR + b"!", ", format: raw", "its 513 bytes are not whole sectors of 512"),
        (b"", "", "it is empty"),
        (b"QFI\xfb and a half", ", format: raw", "its 15 bytes are not whole sectors of 512"),
    ],
)
def test_what_can_be_no_disk_is_a_problem(tmp_path: Path, content: bytes, declared: str, why: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load(write(tmp_path, f"version: 1\ncloud: demo\nimages: {{i: {{source: 'file:secret'{declared}}}}}\n"))
    (problem,) = caught.value.problems
    assert f"is no disk image: {why}" in problem.message
    assert (problem.place and problem.place.line) == 3


@pytest.mark.parametrize("content", [SECTOR * 2, b"QFI\xfb: the agent looks into those"])
def test_what_can_be_a_disk_is_measured(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "disk").write_bytes(content)
    cloud = load(write(tmp_path, "version: 1\ncloud: demo\nimages: {i: {source: 'file:disk'}}\n"))
    assert cloud.image_sizes == {cloud.images["i"].sha256: len(content)}


def test_a_wrong_digest_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "tiny.raw").write_bytes(SECTOR)
    text = f"version: 1\ncloud: demo\nimages: {{tiny: {{source: 'file:tiny.raw', sha256: {'0a' * 32}}}}}\n"
    with pytest.raises(SpecError) as caught:
        load(write(tmp_path, text))
    assert [problem.hint for problem in caught.value.problems] == [f"when the file is right, write {TINY}"]
