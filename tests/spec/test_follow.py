"""Following a branch of a real remote: what is taken, and what is refused."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cloudsync.model.problem import CloudsyncError, SpecError
from cloudsync.spec.follow import confirm_apart
from tests.spec.followed import SPEC, Site, refused, taken
from tests.spec.signers import Signer
from tests.spec.spec_text import KEY

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.new(tmp_path)


@pytest.fixture
def alice(tmp_path: Path) -> Signer:
    return Signer.new(tmp_path, "alice")


@pytest.fixture
def allowed(tmp_path: Path, alice: Signer) -> Path:
    file = tmp_path / "allowed_signers"
    file.write_text(alice.line())
    return file


def test_a_new_commit_is_taken_and_nothing_here_changes(site: Site) -> None:
    first = site.desk.git("rev-parse", "HEAD")
    (site.here / "cloud.yaml").write_text("broken: [")
    before = {
        path: path.read_bytes() for path in site.here.rglob("*") if path.is_file() and "objects" not in path.parts
    }
    second = site.push(cloud_yaml=SPEC + "# second\n")
    follower = site.follower()
    assert taken(follower, first) == second
    after = {path: path.read_bytes() for path in site.here.rglob("*") if path.is_file() and "objects" not in path.parts}
    assert set(after) - set(before) == {site.here / ".git/refs/cloudsync/origin/main"}
    assert {path: data for path, data in after.items() if path in before} == before
    cloud = follower.cloud(second)
    assert (cloud.commit, cloud.dirty, cloud.path) == (second, False, str(site.here / "cloud.yaml"))
    assert cloud.keypairs["alice"].public_key == KEY


def test_an_older_commit_is_refused(site: Site) -> None:
    first = site.desk.git("rev-parse", "HEAD")
    second = site.push(cloud_yaml=SPEC + "# second\n")
    third = site.push(cloud_yaml=SPEC + "# third\n")
    follower = site.follower()
    taken(follower, second)
    site.desk.git("reset", "-q", "--hard", first)
    site.publish("--force")
    words = f"origin/main is at {first[:12]}, 2 commits older than {third[:12]}"
    assert refused(follower, third) == f"{words}, which was there before"
    assert refused(site.follower(), third) == f"{words}, which bob@desk applied at 2025-01-02T03:04:05Z"


def test_a_branch_that_was_pushed_by_force_is_refused(site: Site) -> None:
    first = site.desk.git("rev-parse", "HEAD")
    second = site.push(cloud_yaml=SPEC + "# second\n")
    follower = site.follower()
    taken(follower, first)
    site.desk.git("reset", "-q", "--hard", first)
    forced = site.push("--force", cloud_yaml=SPEC + "# forced\n")
    for one, deployed in ((follower, first), (follower, second), (site.follower(), second)):
        assert "does not go on from" in refused(one, deployed)
    assert taken(site.follower(), first) == forced
    assert taken(follower, forced) == forced, "somebody has applied it by hand"


def test_an_unrelated_branch_is_refused(site: Site) -> None:
    first = site.desk.git("rev-parse", "HEAD")
    site.desk.git("checkout", "-q", "--orphan", "other")
    site.push("--force", cloud_yaml=SPEC + "# of its own\n")
    assert "does not go on from" in refused(site.follower(), first)


def test_what_is_deployed_and_not_here_is_not_gone_beyond(site: Site) -> None:
    assert "cannot be seen whether" in refused(site.follower(), "ab" * 20)


def test_a_shallow_clone_cannot_tell(site: Site) -> None:
    first = site.desk.git("rev-parse", "HEAD")
    site.push(cloud_yaml=SPEC + "# second\n")
    shutil.rmtree(site.here)
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{site.remote}", str(site.here)], check=True)
    assert "cannot be seen whether" in refused(site.follower(), first)


def test_only_what_is_signed_is_taken(site: Site, alice: Signer, allowed: Path, tmp_path: Path) -> None:
    first = site.desk.git("rev-parse", "HEAD")
    follower = site.follower(allowed)
    assert "is not signed" in refused(follower)
    second = alice.commit(site.desk)
    site.publish()
    assert taken(follower) == second, "before the first apply the newest commit is what counts"
    assert taken(follower, first) == second
    mallory = Signer.new(tmp_path, "mallory")
    mallory.commit(site.desk)
    site.publish()
    assert "signed by nobody of" in refused(follower, second)
    alice.commit(site.desk)
    site.publish()
    assert "signed by nobody of" in refused(follower, second), "a good signature on top does not speak for it"


def test_a_signed_merge_speaks_for_what_it_brings_in(site: Site, alice: Signer, allowed: Path) -> None:
    base = alice.commit(site.desk)
    site.publish()
    site.desk.git("checkout", "-q", "-b", "side")
    site.desk.commit(cloud_yaml=SPEC + "# a contributor's\n")
    site.desk.git("checkout", "-q", "main")
    merge = alice.commit(site.desk, "merge", "--no-ff", "side")
    site.publish()
    assert taken(site.follower(allowed), base) == merge


def test_a_merge_that_was_fast_forwarded_speaks_for_nothing(site: Site, alice: Signer, allowed: Path) -> None:
    base = alice.commit(site.desk)
    site.desk.git("checkout", "-q", "-b", "side")
    site.desk.commit(cloud_yaml=SPEC + "# a contributor's\n")
    site.desk.git("checkout", "-q", "main")
    site.desk.git("merge", "-q", "--ff-only", "side")
    alice.commit(site.desk)
    site.publish()
    assert "is not signed" in refused(site.follower(allowed), base)


@pytest.mark.parametrize("options", ['namespaces="file"', 'valid-before="20200101"', 'valid-after="20990101"'])
def test_a_key_counts_now_and_for_git(site: Site, alice: Signer, tmp_path: Path, options: str) -> None:
    """A commit says itself when it was made."""
    file = tmp_path / "limited"
    file.write_text(alice.line(options))
    alice.commit(site.desk)
    site.publish()
    assert refused(site.follower(file))


def test_a_backdated_commit_does_not_bring_an_old_key_back(
    site: Site, alice: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "limited"
    file.write_text(alice.line('valid-before="20200101"'))
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.setenv(name, "2019-06-01T00:00:00Z")
    made = alice.commit(site.desk)
    site.publish()
    trusted = ("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={file}")
    site.desk.git(*trusted, "verify-commit", made)
    assert refused(site.follower(file))


def test_a_signature_of_another_commit_is_none(site: Site, alice: Signer, allowed: Path) -> None:
    """The signature of one commit, put into another one."""
    made = alice.commit(site.desk)
    good = subprocess.run(
        ["git", "-C", str(site.desk.folder), "cat-file", "commit", made], check=True, capture_output=True
    ).stdout
    forged = good.replace(b"\n\nsigned", b"\n\nforged")
    name = site.desk.git("hash-object", "-t", "commit", "-w", "--stdin", typed=forged)
    site.desk.git("reset", "-q", "--hard", name)
    site.publish("--force")
    assert "the signature is not of what is in it" in refused(site.follower(allowed))


def test_who_may_sign_does_not_come_with_what_is_judged(site: Site, allowed: Path) -> None:
    inside = site.here / "allowed_signers"
    shutil.copy(allowed, inside)
    link = allowed.with_name("link")
    link.symlink_to(inside)
    for file in (inside, link):
        with pytest.raises(CloudsyncError, match="in the repository itself"):
            confirm_apart(file, site.branch())
    confirm_apart(allowed, site.branch())


def test_a_broken_spec_says_in_which_commit(site: Site) -> None:
    tip = site.push(cloud_yaml=SPEC + "instances: [")
    with pytest.raises(SpecError) as caught:
        taken(site.follower())
    places = {one.place.file for one in caught.value.problems if one.place}
    assert places == {f"{tip[:12]}:cloud.yaml"}


def test_a_spec_that_was_removed_is_no_empty_cloud(site: Site) -> None:
    site.push(cloud_yaml=None)
    assert "has no cloud.yaml" in refused(site.follower())
