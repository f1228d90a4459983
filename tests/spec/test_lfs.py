"""Git LFS itself, with a remote that is a folder: what it keeps, and pointers to that where it was not fetched."""

import hashlib
from pathlib import Path

import pytest

from cloudsync.model.problem import SpecError
from cloudsync.spec.digests import Digests
from cloudsync.spec.load import load
from cloudsync.spec.versions import version, versions
from tests.spec.repository import Repository
from tests.spec.spec_text import HEAD, NETWORK

pytestmark = pytest.mark.slow

IMAGE, OTHER = b"a" * 512, b"b" * 512
SPEC = (
    HEAD.replace("'https://example.org/tiny.raw', sha256: " + "a" * 64, "'file:tiny.raw'")
    + NETWORK
    + "instances: {web: {image: tiny, flavor: small, user_data: {file: big.txt}}}\n"
)


@pytest.fixture
def desk(tmp_path: Path) -> Repository:
    """Pushed with IMAGE, and then with OTHER."""
    remote, made = Repository(tmp_path / "remote"), Repository.new(tmp_path / "desk")
    remote.folder.mkdir()
    remote.git("init", "-q", "--bare", "-b", "main")
    made.git("remote", "add", "origin", f"file://{remote.folder}")
    made.git("lfs", "install", "--local")
    made.git("lfs", "track", "*.raw", "*.txt")
    for content in (IMAGE, OTHER):
        (made.folder / "tiny.raw").write_bytes(content)
        (made.folder / "big.txt").write_bytes(b"#!" + content)
        made.commit(cloud_yaml=SPEC)
    made.git("push", "-q", "origin", "main")
    return made


@pytest.fixture
def here(desk: Repository) -> Repository:
    """A clone that has fetched nothing of what Git LFS keeps."""
    made = Repository(desk.folder.with_name("here"))
    made.folder.mkdir()
    made.git("init", "-q", "-b", "main")
    made.git("lfs", "install", "--local", "--skip-smudge")
    made.git("remote", "add", "origin", desk.git("remote", "get-url", "origin"))
    made.git("pull", "-q", "origin", "main")
    assert (made.folder / "tiny.raw").read_bytes().startswith(b"version https://git-lfs.github.com/spec/v1\n")
    return made


def problems(repository: Repository) -> list[tuple[str, str]]:
    """Without the files' names."""
    with pytest.raises(SpecError) as caught:
        load(repository.folder / "cloud.yaml")
    return [(one.message.rpartition('" is ')[2], one.hint) for one in caught.value.problems]


def followed(repository: Repository, commit: str = "HEAD") -> object:
    """The image's digest and the user-data, as `watch --git` takes them, or what is wrong."""
    spec, tip = repository.folder / "cloud.yaml", repository.git("rev-parse", commit)
    found = version(spec, tip, Digests(repository.folder / ".git/digests.json"))
    if found.cloud is None:
        return {(one.message.replace(tip[:12], "TIP"), one.hint) for one in found.problems}
    return found.cloud.images["tiny"].sha256, found.cloud.instances["web"].user_data


def test_a_pointer_is_no_image_and_no_user_data(here: Repository) -> None:
    what, file = (
        "no disk image: it is a pointer of Git LFS in place of one",
        "a pointer of Git LFS in place of the file",
    )
    assert problems(here) == [(what, "git lfs pull"), (file, "git lfs pull")]
    spec = here.folder / "cloud.yaml"
    spec.write_text(SPEC.replace("'file:tiny.raw'", f"'file:tiny.raw', sha256: {hashlib.sha256(OTHER).hexdigest()}"))
    assert problems(here) == [(what, "git lfs pull"), (file, "git lfs pull")]
    spec.write_text(SPEC)
    assert followed(here) == {
        ('"tiny.raw" is a pointer of Git LFS in the working tree, not the image', f"git -C {here.folder} lfs pull"),
        (
            '"big.txt" is kept by Git LFS, and what commit TIP has of it is not here',
            f"git -C {here.folder} lfs fetch --all",
        ),
    }


def test_what_was_fetched_is_what_the_commit_says(here: Repository) -> None:
    here.git("lfs", "pull")
    cloud = load(here.folder / "cloud.yaml")
    assert (cloud.dirty, cloud.images["tiny"].sha256) == (False, hashlib.sha256(OTHER).hexdigest())
    assert followed(here) == (hashlib.sha256(OTHER).hexdigest(), b"#!" + OTHER)
    (here.folder / "tiny.raw").write_bytes(IMAGE)
    assert load(here.folder / "cloud.yaml").dirty


def test_two_versions_differ_in_what_is_kept(here: Repository) -> None:
    here.git("lfs", "fetch", "--all")
    old, new = versions(here.folder / "cloud.yaml", "HEAD~..HEAD")
    assert old.cloud
    assert new.cloud
    assert [one.cloud.instances["web"].user_data for one in (old, new) if one.cloud] == [b"#!" + IMAGE, b"#!" + OTHER]
    assert old.cloud.images != new.cloud.images
    (kept,) = (one for one in here.folder.rglob(hashlib.sha256(b"#!" + IMAGE).hexdigest()) if one.is_file())
    kept.chmod(0o600)
    kept.write_bytes(b"#!" + OTHER)
    assert "is not here" in versions(here.folder / "cloud.yaml", "HEAD~..HEAD")[0].problems[0].message
