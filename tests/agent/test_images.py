"""The image cache alone, where the order of things can be held still."""

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest

from cloudsync.agent.images import Images
from cloudsync.agent.pool import Pool
from cloudsync.agent.take_in import Wish
from cloudsync.model.agent_state import ImageDone
from tests.agent.images import boot_disk
from tests.agent.shelf import Shelf

CONTENT = boot_disk(4 << 20)
DIGEST = sha256(CONTENT).hexdigest()


def wish(source: str) -> Wish:
    return Wish(name="debian-12", sha256=DIGEST, source=source, format=None)


def test_a_download_ends_with_its_last_listener_and_is_resumed_for_the_next(tmp_path: Path, shelf: Shelf) -> None:
    shelf.content, shelf.cuts = CONTENT, [2_000_000]

    async def leave_and_return() -> None:
        images = Images(Pool(tmp_path))
        first = images.put(wish(shelf.url))
        async for news in first:
            if "broke" in str(news):
                break
        await first.aclose()
        last = [news async for news in images.put(wish(f"{shelf.url}?next"))][-1]
        assert last == ImageDone(sha256=DIGEST, size=len(CONTENT), format="raw", virtual_size=len(CONTENT))

    asyncio.run(leave_and_return())
    assert shelf.served == len(CONTENT)
    assert shelf.ranges == [None, "bytes=2000000-"]
    assert shelf.paths[1].endswith("?next")


@pytest.mark.slow
def test_a_download_goes_on_while_somebody_listens(tmp_path: Path, shelf: Shelf) -> None:
    shelf.content, shelf.cuts = CONTENT, [2_000_000]

    async def one_leaves() -> None:
        images = Images(Pool(tmp_path))
        first, second = images.put(wish(shelf.url)), images.put(wish(f"{shelf.url}?other"))
        await anext(first)
        await anext(second)
        await first.aclose()
        assert isinstance([news async for news in second][-1], ImageDone)

    asyncio.run(one_leaves())
    assert shelf.served == len(CONTENT)
    assert not any(path.endswith("?other") for path in shelf.paths)
