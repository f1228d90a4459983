"""Downloads: resume, broken lines, servers that lie."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread

import pytest

from cloudsync.agent import download
from cloudsync.agent.download import Order, Stopped, bare, fetch
from cloudsync.model.problem import HostError
from cloudsync.model.spare import SPARE
from tests.agent.images import boot_disk
from tests.agent.shelf import Shelf
from tests.effort import PATIENCE

CONTENT = boot_disk(4 << 20)
DIGEST = sha256(CONTENT).hexdigest()


class Target:
    """A download's order, with no pause between tries."""

    def __init__(self, folder: Path, url: str) -> None:
        self.said: list[str] = []
        self.part = folder / "image.part"
        self.order = Order(
            url=url,
            sha256=DIGEST,
            part=self.part,
            free=lambda: 1 << 40,
            progress=self.said.append,
            stop=Event(),
            pauses=(0, 0),
            timeout=5,
        )

    def with_room(self, free: Callable[[], int]) -> Order:
        return replace(self.order, free=free)


@pytest.fixture
def target(tmp_path: Path, shelf: Shelf) -> Target:
    shelf.content = CONTENT
    return Target(tmp_path, shelf.url)


def leftovers(target: Target) -> list[str]:
    return sorted(path.name for path in target.part.parent.iterdir())


def test_a_plain_download_tells_each_percent_once(shelf: Shelf, target: Target) -> None:
    fetch(target.order)
    assert target.part.read_bytes() == CONTENT
    assert target.said[-1] == "100% of 4 MiB"
    assert len(target.said) == len(set(target.said)) <= 100
    assert shelf.requests == 1
    assert leftovers(target) == ["image.part"]


def test_a_broken_line_is_resumed_where_it_broke(shelf: Shelf, target: Target) -> None:
    shelf.cuts = [1_000_000, 1_000_001]
    fetch(target.order)
    assert target.part.read_bytes() == CONTENT
    assert shelf.served == len(CONTENT)
    assert shelf.ranges == [None, "bytes=1000000-", "bytes=2000001-"]


def test_progress_starts_the_patience_over(shelf: Shelf, target: Target) -> None:
    shelf.cuts = [100_000] * 20
    fetch(target.order)
    assert shelf.served == len(CONTENT)


def test_it_gives_up_keeps_what_came_and_resumes_next_time(shelf: Shelf, target: Target) -> None:
    shelf.cuts = [3_000_000, 0, 0, 0]
    with pytest.raises(HostError, match="the connection broke") as caught:
        fetch(target.order)
    assert "run apply again" in caught.value.hint
    assert target.part.stat().st_size == 3_000_000
    fetch(target.order)
    assert target.part.read_bytes() == CONTENT
    assert shelf.served == len(CONTENT)


def test_a_server_without_ranges_sends_all_again(shelf: Shelf, target: Target) -> None:
    shelf.understands_ranges = False
    shelf.cuts = [1_000_000]
    fetch(target.order)
    assert target.part.read_bytes() == CONTENT
    assert shelf.served == len(CONTENT) + 1_000_000


def test_a_file_that_changed_meanwhile_is_fetched_anew(shelf: Shelf, target: Target) -> None:
    shelf.content, shelf.etag, shelf.cuts = bytes(2_000_000), '"old"', [1_000_000, 0, 0, 0]
    with pytest.raises(HostError):
        fetch(target.order)
    shelf.content, shelf.etag, shelf.cuts = CONTENT, '"new"', []
    fetch(target.order)
    assert target.part.read_bytes() == CONTENT
    assert not any("starting over" in text for text in target.said)


def test_a_leftover_of_something_else_is_noticed_by_its_digest(shelf: Shelf, target: Target) -> None:
    target.part.write_bytes(b"x" * 1000)
    fetch(target.order)
    assert target.part.read_bytes() == CONTENT
    assert any("starting over" in text for text in target.said)


def test_a_leftover_that_is_whole_is_only_checked(shelf: Shelf, target: Target) -> None:
    target.part.write_bytes(CONTENT)
    fetch(target.order)
    assert shelf.served == 0
    assert target.part.read_bytes() == CONTENT


def test_a_leftover_that_is_longer_than_the_file_is_dropped(shelf: Shelf, target: Target) -> None:
    target.part.write_bytes(CONTENT + b"more")
    fetch(target.order)
    assert target.part.read_bytes() == CONTENT


def test_wrong_content_is_removed_and_both_digests_are_named(shelf: Shelf, target: Target) -> None:
    shelf.content = CONTENT[:-1] + b"!"
    with pytest.raises(HostError) as caught:
        fetch(target.order)
    assert DIGEST in caught.value.message
    assert sha256(shelf.content).hexdigest() in caught.value.message
    assert leftovers(target) == []
    assert shelf.requests == 1


def test_a_server_that_promises_more_than_it_has_is_given_up(shelf: Shelf, target: Target) -> None:
    shelf.claims = len(CONTENT) + 5
    shelf.understands_ranges = False
    with pytest.raises(HostError, match="the connection broke"):
        fetch(target.order)


def test_a_server_that_promises_less_than_it_sends_is_not_believed(shelf: Shelf, target: Target) -> None:
    shelf.claims = len(CONTENT) - 5
    with pytest.raises(HostError, match="SHA-256"):
        fetch(target.order)
    assert leftovers(target) == []


def test_without_a_length_it_works_and_tells_bytes(shelf: Shelf, target: Target) -> None:
    shelf.chunked = True
    fetch(target.order)
    assert target.part.read_bytes() == CONTENT


def test_a_full_pool_is_told_before_anything_is_sent(shelf: Shelf, target: Target) -> None:
    order = target.with_room(lambda: SPARE + 1000)
    with pytest.raises(HostError) as caught:
        fetch(order)
    assert "needs 4 MiB more" in caught.value.message
    assert "free are 64 MiB" in caught.value.message
    assert not target.part.exists()


def test_a_pool_that_fills_up_ends_a_download_of_unknown_length(shelf: Shelf, target: Target) -> None:
    shelf.chunked, shelf.content = True, bytes(40 << 20)
    room = iter([1 << 40])
    order = target.with_room(lambda: next(room, 0))
    with pytest.raises(HostError, match="is full"):
        fetch(order)


def test_busy_servers_are_asked_again(shelf: Shelf, target: Target) -> None:
    shelf.statuses = [503, 429]
    fetch(target.order)
    assert shelf.requests == 3


@pytest.mark.parametrize(("status", "hint"), [(404, "check the URL"), (403, "needs no login")])
def test_a_refusal_is_final(shelf: Shelf, target: Target, status: int, hint: str) -> None:
    shelf.statuses = [status]
    with pytest.raises(HostError, match=str(status)) as caught:
        fetch(target.order)
    assert hint in caught.value.hint
    assert shelf.requests == 1


def test_redirects_are_followed_but_not_for_ever(shelf: Shelf, target: Target) -> None:
    shelf.redirects = 5
    fetch(target.order)
    target.part.unlink()
    shelf.redirects = 6
    with pytest.raises(HostError, match="redirects"):
        fetch(target.order)


def test_a_redirect_to_a_file_is_refused(shelf: Shelf, target: Target) -> None:
    with pytest.raises(HostError, match="not an http"):
        fetch(replace(target.order, url="file:///etc/shadow"))


def test_nobody_there_is_told_with_the_reason(tmp_path: Path) -> None:
    with Shelf() as closed:
        url = closed.url
    target = Target(tmp_path, url)
    with pytest.raises(HostError, match="refused"):
        fetch(target.order)


def test_a_stopped_download_keeps_what_came(shelf: Shelf, target: Target) -> None:
    entered, go_on = Event(), Event()

    def hold() -> None:
        entered.set()
        go_on.wait(PATIENCE)

    shelf.before = hold
    failures: list[BaseException] = []

    def work() -> None:
        try:
            fetch(target.order)
        except HostError as error:
            failures.append(error)

    thread = Thread(target=work)
    thread.start()
    assert entered.wait(PATIENCE)
    target.order.stop.set()
    go_on.set()
    thread.join(PATIENCE)
    assert isinstance(failures[0], Stopped)


def test_messages_carry_no_password_and_no_query() -> None:
    assert bare("https://me:secret@example.org:8443/a/b.qcow2?token=secret") == "https://example.org:8443/a/b.qcow2"


def test_the_pauses_between_tries_grow() -> None:
    assert list(download._PAUSES) == sorted(download._PAUSES)
