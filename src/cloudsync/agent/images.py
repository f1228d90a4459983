"""The image cache of a host: whoever asks for an image that is on its way already shares that one download.

Lives on the event loop; each image is taken in by a thread of its own. Called by app.py.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import field
from threading import Event, Thread

from cloudsync.agent.mishap import mishap
from cloudsync.agent.places import sync_folder
from cloudsync.agent.pool import Pool
from cloudsync.agent.take_in import Wish, take_in
from cloudsync.model.agent_state import ImageDone
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError, HostError

log = logging.getLogger("cloudsync.agent")

News = str | ImageDone | CloudsyncError
"""A line of progress, then how it ended."""


class InUse(HostError):
    """A disk stands on the image, or it is on its way in."""


@dataclass(slots=True)
class _Job:
    stop: Event = field(default_factory=Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: set[asyncio.Queue[News]] = field(default_factory=set)


class Images:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._jobs: dict[str, _Job] = {}
        self._gate = asyncio.Lock()

    async def put(self, wish: Wish) -> AsyncGenerator[News, None]:
        """Progress, then ImageDone or the error. When nobody listens any more the work stops; it is resumed later."""
        job = await self._join(wish)
        queue: asyncio.Queue[News] = asyncio.Queue()
        job.listeners.add(queue)
        try:
            news: News = ""
            while isinstance(news, str):
                news = await queue.get()
                yield _judge(news, wish)
        finally:
            job.listeners.discard(queue)
            if not job.listeners:
                job.stop.set()

    async def delete(self, sha256: str) -> bool:
        """False when it was not there. Raise InUse, naming the disks that stand on it."""
        async with self._gate:
            if sha256 in self._jobs:
                raise InUse(f"image {sha256[:12]} is on its way in", "wait for it, or stop the apply that wants it")
            gone = await asyncio.to_thread(_delete, self.pool, sha256)
            if not self._jobs:
                with suppress(OSError):
                    self.pool.unchecked.rmdir()
            return gone

    async def _join(self, wish: Wish) -> _Job:
        """The job under way, or a new one. One that is being stopped is waited for: it still holds the file."""
        while True:
            async with self._gate:
                job = self._jobs.get(wish.sha256)
                if job is None:
                    return self._start(wish)
                if not job.stop.is_set():
                    return job
            await job.over.wait()

    def _start(self, wish: Wish) -> _Job:
        job = self._jobs[wish.sha256] = _Job()
        loop = asyncio.get_running_loop()

        def publish(news: News) -> None:
            for queue in job.listeners:
                queue.put_nowait(news)
            if not isinstance(news, str):
                job.stop.set()
                del self._jobs[wish.sha256]
                job.over.set()

        def tell(news: News) -> None:
            try:
                loop.call_soon_threadsafe(publish, news)
            except RuntimeError:  # the agent has ended meanwhile
                job.stop.set()

        def work() -> None:
            tell(_run(self.pool, wish, tell, job.stop))

        Thread(target=work, name=f"image {wish.name}", daemon=True).start()
        return job


def _run(pool: Pool, wish: Wish, progress: Callable[[str], None], stop: Event) -> News:
    try:
        return take_in(pool, wish, progress, stop)
    except CloudsyncError as error:
        return error
    except OSError as error:
        return HostError(f"image {wish.name}: {error.strerror} ({error.filename})", f"look after {pool.folder}")
    except Exception as error:
        log.error("image %s: %s", wish.name, mishap(error))
        return HostError(f"image {wish.name}: failed with {type(error).__name__}", "see the agent's log")


def _judge(news: News, wish: Wish) -> News:
    """Who joined another's download, or found the image there, may have declared another format."""
    if isinstance(news, ImageDone) and wish.format not in (None, news.format):
        return HostError(
            f"image {wish.name} is declared as {wish.format} but is {news.format}",
            f"write `format: {news.format}`, or leave `format` out",
        )
    return news


def _delete(pool: Pool, sha256: str) -> bool:
    users = pool.users(sha256)
    if users:
        raise InUse(
            f"image {sha256[:12]} is in use: {', '.join(users[:5])} {'stand' if len(users) > 1 else 'stands'} on it",
            "replace or delete those machines first",
        )
    there = pool.image(sha256).exists()
    for path in (pool.image(sha256), pool.part(sha256), pool.validator(sha256), pool.incoming(sha256)):
        path.unlink(missing_ok=True)
    sync_folder(pool.folder)
    return there
