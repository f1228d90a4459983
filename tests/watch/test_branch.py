"""A branch as the source of what is wanted, polled while a test pushes to it."""

from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from cloudsync.model.problem import CloudsyncError, SpecError
from cloudsync.spec.follow import RefusedError
from cloudsync.watch.branch import BranchSource
from cloudsync.watch.source import Source
from cloudsync.watch.trigger import Reason, Trigger
from tests.lab.standins import PATIENCE
from tests.spec.followed import SPEC, TINY, Site, applied
from tests.spec.repository import Repository

WITH_FILE = SPEC.replace(TINY.removeprefix("{tiny: ")[:-1], "{source: 'file:tiny.raw'}")


class Heard:
    def __init__(self, site: Site) -> None:
        self.complaints: SimpleQueue[str] = SimpleQueue()
        self.triggers: SimpleQueue[Trigger] = SimpleQueue()
        self.branch = BranchSource(site.follower(), 0.05, self.complaints.put)
        source: Source = self.branch
        self.source = source


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.new(tmp_path)


@pytest.fixture
def heard(site: Site) -> Iterator[Heard]:
    made = Heard(site)
    made.source.begin(made.triggers.put)
    yield made
    made.source.end()


def test_a_push_is_heard_of(site: Site, heard: Heard) -> None:
    first = site.desk.git("rev-parse", "HEAD")
    assert heard.source.load().commit == first
    heard.source.seen(heard.source.load(), None)
    second = site.push(cloud_yaml=SPEC + "# second\n")
    news = heard.triggers.get(timeout=PATIENCE)
    assert news == Trigger(Reason.COMMIT, f"origin/main is at {second[:12]}")
    assert heard.source.load([news]).commit == heard.branch.commit == second
    with pytest.raises(RefusedError):
        heard.source.seen(heard.source.load(), applied("ab" * 20))
    heard.source.seen(heard.source.load(), applied(first))


def test_a_round_that_began_before_the_push_was_told_leaves_it_to_its_own(site: Site, heard: Heard) -> None:
    first = heard.source.load().commit
    site.push(cloud_yaml="version: 1\nhosts: [")
    news = heard.triggers.get(timeout=PATIENCE)
    interval = Trigger(Reason.INTERVAL)
    assert heard.source.load([interval]).commit == heard.branch.commit == first
    heard.source.seen(heard.source.load(), None)
    with pytest.raises(CloudsyncError):
        heard.source.load([interval, news])
    assert heard.source.load([interval]).commit == first, "said once"
    third = site.push(cloud_yaml=SPEC + "# third\n")
    assert heard.source.load([heard.triggers.get(timeout=PATIENCE)]).commit == third


def test_a_commit_whose_image_is_not_here_yet_is_taken_once_it_is(site: Site, heard: Heard) -> None:
    first = heard.source.load().commit
    heard.source.seen(heard.source.load(), None)
    (site.desk.folder / "tiny.raw").write_bytes(b"a" * 512)
    second = site.push(cloud_yaml=WITH_FILE)
    news = heard.triggers.get(timeout=PATIENCE)
    with pytest.raises(SpecError):
        heard.source.load([news])
    assert heard.source.load([Trigger(Reason.INTERVAL)]).commit == first
    Repository(site.here).git("pull", "-q", "--ff-only")
    assert heard.triggers.get(timeout=PATIENCE) == news
    assert heard.source.load([news]).commit == second


def test_a_remote_that_is_away_is_said_once_and_what_was_wanted_stays(site: Site, heard: Heard) -> None:
    first = heard.source.load().commit
    away = site.remote.rename(site.remote.with_name("away"))
    assert heard.complaints.get(timeout=PATIENCE).startswith("origin/main cannot be fetched: ")
    assert heard.source.load().commit == first
    away.rename(site.remote)
    second = site.push(cloud_yaml=SPEC + "# second\n")
    assert heard.triggers.get(timeout=PATIENCE).detail == f"origin/main is at {second[:12]}"
    assert heard.complaints.empty()
    site.remote.rename(away)
    assert heard.complaints.get(timeout=PATIENCE)


def test_the_first_look_does_not_wait_for_the_clock(site: Site) -> None:
    source = BranchSource(site.follower(), 600, print)
    assert source.commit == ""
    assert source.load().commit == site.desk.git("rev-parse", "HEAD") == source.commit
    site.remote.rename(site.remote.with_name("away"))
    late = Heard(site)
    with pytest.raises(CloudsyncError, match="cannot be fetched"):
        late.source.load()
    site.remote.with_name("away").rename(site.remote)
    late.source.begin(late.triggers.put)
    assert late.triggers.get(timeout=PATIENCE).reason is Reason.COMMIT
    late.source.end()
