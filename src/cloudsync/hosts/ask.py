"""Questions that run in threads and may be given up. Called by host.py, fleet.py and `apply --wait`.

Neither libvirt nor ssh can be interrupted, so a host that hangs is left hanging: the thread ends with the process.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from cloudsync.model.problem import CloudsyncError, HostError

T = TypeVar("T")
_AT_ONCE = 64
_GLANCE = 0.5
"""Seconds."""


def at_once(questions: Sequence[Callable[[], T]], most: int = _AT_ONCE) -> list[T]:
    """All answers, in order, asked `most` at a time. Ctrl-C does not wait for those that are still out."""
    threads = ThreadPoolExecutor(most, "ask")
    try:
        answers = [threads.submit(question) for question in questions]
        return [_awaited(answer) for answer in answers]
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _awaited(answer: Future[T]) -> T:
    """A signal that comes just before a thread begins to wait does not wake it: it has to look again by itself."""
    while not answer.done():
        wait([answer], _GLANCE)
    return answer.result()


class Ask(Generic[T]):
    """Starts at once. `who` is asked, for the message when it is late."""

    def __init__(self, who: str, question: Callable[[], T]) -> None:
        self._who = who
        self._question = question
        self._began = time.monotonic()
        self._done = threading.Event()
        self._answer: list[T] = []
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name=f"ask {who}", daemon=True).start()

    def answer(self, patience: float) -> T:
        """What came, or what was raised; HostError when it took over `patience` seconds since the start."""
        if not self._done.wait(max(0.0, self._began + patience - time.monotonic())):
            raise HostError(
                f"{self._who} did not answer in {patience:g} s",
                "`cloudsync doctor` may say why; look at that machine, or wait and try again",
            )
        if self._error is not None:
            raise self._error
        return self._answer[0]

    def collect(self, patience: float, failures: list[str]) -> T | None:
        """The same, but that what was raised is one of `failures`."""
        try:
            return self.answer(patience)
        except CloudsyncError as error:
            failures.append(f"{error.message}; {error.hint}" if error.hint else error.message)
            return None

    def _run(self) -> None:
        try:
            self._answer.append(self._question())
        except BaseException as error:
            self._error = error
        finally:
            self._done.set()
