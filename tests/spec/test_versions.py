"""Two versions of a spec out of Git, strangers' commits among them: what is in a commit leads nowhere else."""

from pathlib import Path

import pytest

from cloudsync.model.problem import CloudsyncError
from cloudsync.spec.git import Objects, named
from cloudsync.spec.versions import Version, versions
from tests.spec.repository import Repository
from tests.spec.spec_text import HEAD, KEY

pytestmark = pytest.mark.slow

SPEC = HEAD + "keypairs: {alice: {public_key_file: keys/alice.pub}}\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.new(tmp_path / "repo")
    made.commit(cloud_yaml=SPEC, keys__alice=KEY)
    (made.folder / "keys/alice").rename(made.folder / "keys/alice.pub")
    made.commit()
    return made


def told(version: Version) -> str:
    return "\n".join(f"{one.message} {one.hint}" for one in version.problems)


def head(repository: Repository, span: str = "HEAD~..HEAD", spec: str = "cloud.yaml") -> Version:
    return versions(repository.folder / spec, span)[1]


def test_files_are_as_they_are_in_each_commit(repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD")
    (repository.folder / "keys/alice.pub").write_text(KEY + "-2")
    second = repository.commit()
    (repository.folder / "keys/alice.pub").write_text(KEY + "-3")
    comments = [
        version.cloud.keypairs["alice"].public_key.rpartition(" ")[2]
        for span in ("HEAD~..HEAD", f"{first}..{second}", "HEAD", "main~", "HEAD~..", "..HEAD")
        for version in versions(repository.folder / "cloud.yaml", span)
        if version.cloud
    ]
    one = KEY.rpartition(" ")[2]
    two, three = f"{one}-2", f"{one}-3"
    assert comments == [one, two, one, two, two, three, one, three, one, two, two, two]


def test_the_working_tree_stays_as_it_is(repository: Repository) -> None:
    (repository.folder / "cloud.yaml").write_text("broken: [")
    before = {path: path.stat().st_mtime_ns for path in repository.folder.rglob("*")}
    assert versions(repository.folder / "cloud.yaml", "HEAD~..HEAD")[1].cloud
    assert {path: path.stat().st_mtime_ns for path in repository.folder.rglob("*")} == before


@pytest.mark.parametrize(
    "written", ["--help", "-x", "--output=x", "main:cloud.yaml", "nothing", "HEAD\n", "a\0b", "^HEAD"]
)
def test_what_is_no_commit_is_refused(repository: Repository, written: str) -> None:
    with pytest.raises(CloudsyncError):
        named(repository.folder, written)
    assert not (repository.folder / "x").exists()


def test_three_dots_say_what_to_write(repository: Repository) -> None:
    with pytest.raises(CloudsyncError) as caught:
        versions(repository.folder / "cloud.yaml", "main...HEAD")
    assert "git merge-base main HEAD" in caught.value.hint


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(CloudsyncError, match="not in a Git repository"):
        versions(tmp_path / "cloud.yaml", "HEAD")


LINKS = ["/etc/passwd", "../../outside", "keys/../../outside", "loop", "../.git/config", "gone"]


@pytest.mark.parametrize("target", LINKS)
def test_a_link_leads_nowhere_else(repository: Repository, target: str) -> None:
    (repository.folder.parent / "outside").write_text(KEY)
    (repository.folder / "loop").symlink_to(target)
    (repository.folder / "cloud.yaml").write_text(SPEC.replace("keys/alice.pub", "loop"))
    repository.commit()
    found = head(repository)
    assert found.cloud is None
    assert len(found.problems) == 1, told(found)


def test_a_link_within_is_followed(repository: Repository) -> None:
    (repository.folder / "keys/way").symlink_to("../deep")
    (repository.folder / "deep").mkdir()
    (repository.folder / "deep/alice").symlink_to("../keys/./alice.pub")
    (repository.folder / "prod.yaml").symlink_to("cloud.yaml")
    (repository.folder / "cloud.yaml").write_text(SPEC.replace("keys/alice.pub", "keys/way/../deep/alice"))
    repository.commit()
    assert head(repository).cloud
    assert head(repository, "HEAD", "prod.yaml").cloud
    assert versions(repository.folder / "prod.yaml", "HEAD")[0].cloud


@pytest.mark.parametrize("written", ["../outside", "/etc/passwd", "keys/../../outside", ".git/config", "keys", ""])
def test_a_path_leads_nowhere_else(repository: Repository, written: str) -> None:
    (repository.folder.parent / "outside").write_text(KEY)
    (repository.folder / "cloud.yaml").write_text(SPEC.replace("keys/alice.pub", f"'{written}'"))
    repository.commit()
    found = head(repository)
    assert found.cloud is None
    assert found.problems


@pytest.mark.parametrize("target", ["/etc/passwd", ".git/config", "../outside"])
def test_a_spec_that_is_a_link_to_elsewhere_is_not_read(repository: Repository, target: str) -> None:
    """A line of what it leads to would be shown as the place of a problem."""
    (repository.folder.parent / "outside").write_text("token: swordfish\n")
    (repository.folder / "cloud.yaml").unlink()
    (repository.folder / "cloud.yaml").symlink_to(target)
    repository.commit()
    for span in ("HEAD~..HEAD", "HEAD~"):
        found = head(repository, span)
        assert found.cloud is None
        assert len(found.problems) == 1, told(found)
        assert not any(one.source for one in found.problems)


def test_a_filter_does_not_run(repository: Repository, tmp_path: Path) -> None:
    """Nor a driver for showing differences, a hook, or a monitor of the file system."""
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    (repository.folder / ".gitattributes").write_text("* filter=trap diff=trap\n")
    (repository.folder / "cloud.yaml").rename(repository.folder / "renamed.yaml")
    repository.commit()
    for key in ("filter.trap.smudge", "filter.trap.clean", "filter.trap.process", "diff.trap.textconv"):
        repository.git("config", key, str(trap))
    for key in ("diff.trap.command", "diff.external", "core.fsmonitor", "core.pager"):
        repository.git("config", key, str(trap))
    repository.git("config", "core.hooksPath", str(tmp_path))
    for span in ("HEAD~..HEAD", "HEAD~"):
        was, now = versions(repository.folder / "renamed.yaml", span)
        assert (was.file, now.file) == ("cloud.yaml", "renamed.yaml")
    assert was.cloud
    assert now.cloud
    assert not (tmp_path / "sprung").exists()


def test_a_huge_file_is_refused_and_the_next_is_read(repository: Repository) -> None:
    (repository.folder / "big").write_bytes(b"#cloud-config\n" * (1 << 20))
    text = SPEC + "instances: {a: {image: none, flavor: none, user_data: {file: big}}}\n"
    (repository.folder / "cloud.yaml").write_text(text)
    repository.commit()
    assert "14680064 bytes" in told(head(repository))
    (repository.folder / "cloud.yaml").write_bytes(b"# a spec\n" * (1 << 20))
    repository.commit()
    assert "has 9437184 bytes" in told(head(repository))
    name = repository.git("rev-parse", "HEAD:cloud.yaml")
    with Objects(repository.folder) as objects:
        assert objects.read(name, 10) == 9 << 20
        assert objects.read(name, 9 << 20) == b"# a spec\n" * (1 << 20)
        with pytest.raises(CloudsyncError):
            objects.read("0" * 40, 10)
        assert objects.read(name, 1) == 9 << 20


def test_a_bomb_of_anchors_is_a_problem(repository: Repository) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    repository.commit(cloud_yaml=bomb)
    assert head(repository).problems


def test_a_submodule_is_another_repository(repository: Repository) -> None:
    hash_ = repository.git("rev-parse", "HEAD")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{hash_},sub")
    (repository.folder / "cloud.yaml").write_text(SPEC.replace("keys/alice.pub", "sub/x"))
    repository.git("add", "cloud.yaml")
    repository.git("commit", "-q", "-m", "sub")
    assert "in a submodule" in told(head(repository))


def test_new_moved_and_removed(repository: Repository) -> None:
    repository.commit(other_yaml=SPEC.replace("cloud: demo", "cloud: other"))
    was, now = versions(repository.folder / "other.yaml", "HEAD~..HEAD")
    assert (was.cloud, was.problems, now.cloud is None) == (None, (), False)
    (repository.folder / "cloud.yaml").rename(repository.folder / "moved.yaml")
    repository.git("add", "-A")
    for name in ("cloud.yaml", "moved.yaml"):
        was, now = versions(repository.folder / name, "HEAD")
        assert (was.file, now.file, was.cloud is None, now.cloud is None) == ("cloud.yaml", "moved.yaml", False, False)
    repository.git("rm", "-q", "--cached", "-r", ".")
    (repository.folder / "moved.yaml").unlink()
    was, now = versions(repository.folder / "cloud.yaml", "HEAD")
    assert (was.cloud is None, now.cloud, now.problems) == (False, None, ())
    with pytest.raises(CloudsyncError, match="there is no never"):
        versions(repository.folder / "never.yaml", "HEAD")


def test_a_folder_that_the_commit_does_not_have(repository: Repository) -> None:
    spec = repository.folder / "sites" / "a" / "cloud.yaml"
    spec.parent.mkdir(parents=True)
    spec.write_text(HEAD)
    was, now = versions(spec, "HEAD")
    assert (was.cloud, was.problems, now.cloud is None) == (None, (), False)


def test_a_broken_base_says_so_with_its_commit(repository: Repository) -> None:
    commit = repository.commit(cloud_yaml="version: 2\n")
    repository.commit(cloud_yaml=SPEC)
    was, now = versions(repository.folder / "cloud.yaml", "HEAD~..HEAD")
    assert now.cloud
    assert {str(one.place.file) for one in was.problems if one.place} == {f"{commit[:12]}:cloud.yaml"}


def test_images_count_by_what_is_said_of_them(repository: Repository) -> None:
    images = "images: {a: {source: 'file:../none.qcow2'}, b: {source: 'file:/b', sha256: " + "ab" * 32 + "}, tiny:"
    repository.commit(cloud_yaml=SPEC.replace("images: {tiny:", images))
    cloud = head(repository).cloud
    assert cloud
    assert cloud.images["a"].source == str(repository.folder.parent / "none.qcow2")
    assert cloud.images["b"].sha256 == "ab" * 32
