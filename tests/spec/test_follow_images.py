"""Images of a followed branch: what Git has of one is what is applied, or nothing is."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from cloudsync.model.problem import SpecError
from tests.spec.followed import SPEC, TINY, Site, taken
from tests.spec.repository import Repository
from tests.spec.spec_text import KEY

pytestmark = pytest.mark.slow

WITH_FILE = SPEC.replace(TINY.removeprefix("{tiny: ")[:-1], "{source: 'file:disks/tiny.raw'}")
IMAGE, OTHER = b"a" * 512, b"b" * 512


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.new(tmp_path)


def pushed(site: Site, content: bytes) -> str:
    file = site.desk.folder / "disks/tiny.raw"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    tip = site.push(cloud_yaml=WITH_FILE)
    assert site.follower().fetch() == tip
    return tip


def pull(site: Site) -> None:
    Repository(site.here).git("pull", "-q", "--ff-only")


def digest(site: Site, tip: str) -> str:
    return site.follower().cloud(tip).images["tiny"].sha256


def problem(site: Site, tip: str) -> tuple[str, str]:
    with pytest.raises(SpecError) as caught:
        site.follower().cloud(tip)
    (one,) = caught.value.problems
    assert one.place
    assert one.place.file == f"{tip[:12]}:cloud.yaml"
    return one.message, one.hint


def test_an_image_that_is_committed_is_applied_as_it_is_in_the_commit(site: Site) -> None:
    tip = pushed(site, IMAGE)
    message, hint = problem(site, tip)
    assert 'there is no file "disks/tiny.raw"' in message
    assert f"git -C {site.here} pull" in hint
    pull(site)
    assert digest(site, tip) == hashlib.sha256(IMAGE).hexdigest()
    assert taken(site.follower()) == tip


def test_what_the_clone_has_of_another_commit_is_refused(site: Site) -> None:
    old = pushed(site, IMAGE)
    pull(site)
    new = pushed(site, OTHER)
    message, hint = problem(site, new)
    names = [Repository(site.desk.folder).git("rev-parse", f"{one}:disks/tiny.raw")[:12] for one in (old, new)]
    assert f"another file in the working tree than in commit {new[:12]}: blob {names[0]}, not {names[1]}" in message
    assert f"git -C {site.here} pull" in hint
    assert digest(site, old)
    pull(site)
    assert digest(site, new) == hashlib.sha256(OTHER).hexdigest()
    assert "another file" in problem(site, old)[0]


def test_what_was_changed_here_is_refused(site: Site) -> None:
    tip = pushed(site, IMAGE)
    pull(site)
    (site.here / "disks/tiny.raw").write_bytes(OTHER)
    assert "another file" in problem(site, tip)[0]
    (site.here / "disks/tiny.raw").unlink()
    (site.here / "disks/tiny.raw").symlink_to("/etc/passwd")
    assert "outside the Git repository" in problem(site, tip)[0]


def test_git_lfs_names_what_is_applied(site: Site) -> None:
    """No filter of its is set up here: what is checked out is the pointer."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{hashlib.sha256(IMAGE).hexdigest()}\nsize 512\n"
    tip = pushed(site, pointer.encode())
    pull(site)
    message, hint = problem(site, tip)
    assert "is a pointer of Git LFS in the working tree" in message
    assert hint == f"git -C {site.here} lfs pull"
    (site.here / "disks/tiny.raw").write_bytes(IMAGE)
    assert digest(site, tip) == hashlib.sha256(IMAGE).hexdigest()
    (site.here / "disks/tiny.raw").write_bytes(OTHER)
    assert "another file" in problem(site, tip)[0]


def test_what_is_not_committed_is_taken_as_it_is(site: Site) -> None:
    (site.desk.folder / ".gitignore").write_text("disks/\n")
    tip = pushed(site, IMAGE)
    (site.here / "disks").mkdir()
    (site.here / "disks/tiny.raw").write_bytes(OTHER)
    assert digest(site, tip) == hashlib.sha256(OTHER).hexdigest()


def test_an_image_of_a_repository_that_goes_by_sha256(tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    subprocess.run(["git", "init", "-q", "--object-format=sha256", "-b", "main", str(folder)], check=True)
    repository = Repository(folder)
    repository.git("remote", "add", "origin", str(folder))
    (folder / "disks").mkdir()
    (folder / "disks/tiny.raw").write_bytes(IMAGE)
    (folder / "alice.pub").write_text(KEY)
    repository.commit(cloud_yaml=WITH_FILE)
    site = Site(repository, folder, folder)
    tip = site.follower().fetch()
    assert digest(site, tip) == hashlib.sha256(IMAGE).hexdigest()
    (folder / "disks/tiny.raw").write_bytes(OTHER)
    assert "another file" in problem(site, tip)[0]
