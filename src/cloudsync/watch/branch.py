"""A followed branch as the source of what is wanted: looks for new commits now and then, and gives the loop the newest.

While the remote does not answer, what was there before stays wanted: drift is repaired all the same.
"""

from collections.abc import Callable, Collection
from threading import Event, Lock, Thread

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import Applied
from cloudsync.model.problem import CloudsyncError
from cloudsync.spec.follow import Follower
from cloudsync.watch.trigger import Reason, Tell, Trigger

_LEAVE = 2.0
"""Seconds that a fetch under way may take to end with the watch."""


class BranchSource:
    """Implements source.Source. `every` is in seconds; `complain` is told once, from another thread, when the remote
    does not answer."""

    def __init__(self, follower: Follower, every: float, complain: Callable[[str], None]) -> None:
        self._follower, self._every, self._complain = follower, every, complain
        self._tip, self._given, self._told, self._asked = "", "", "", False
        self._trouble = ""
        self._good, self._bad, self._unread = "", "", ""
        self._deployed: Applied | None = None
        self._lock = Lock()
        self._over = Event()
        self._thread: Thread | None = None

    @property
    def commit(self) -> str:
        """The newest that a round has had, empty before there is one."""
        return self._given

    def begin(self, tell: Tell) -> None:
        self._thread = Thread(target=self._run, args=(tell,), name="branch", daemon=True)
        self._thread.start()

    def load(self, triggers: Collection[Trigger] = (), /) -> Cloud:
        """A new commit is for the round that it began, so that this is the one that says what became of it. A commit
        that is refused is said once; then the last good one is what is wanted, until there is another."""
        with self._lock:
            self._asked = True
            if not self._tip:
                self._tip = self._follower.fetch()
            if not self._given or self._news(self._tip) in triggers:
                self._given = self._tip
            tip = self._given
        cloud = None
        try:
            cloud = self._follower.cloud(tip)
            if tip == self._bad:
                self._follower.confirm(tip, self._deployed)
        except CloudsyncError:
            self._unread = "" if cloud else tip
            if tip != self._bad or not self._good:
                self._bad = tip
                raise
            return self._follower.cloud(self._good)
        return cloud

    def seen(self, cloud: Cloud, deployed: Applied | None) -> None:
        """RefusedError when `cloud` must not come after what is `deployed`."""
        self._deployed = deployed
        try:
            self._follower.confirm(cloud.commit, deployed)
        except CloudsyncError:
            self._bad = cloud.commit
            raise
        self._good = cloud.commit

    def confirm(self, cloud: Cloud, deployed: Applied | None) -> None:
        """That has been seen to."""

    def end(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(_LEAVE)

    def _run(self, tell: Tell) -> None:
        while not self._over.wait(self._every):
            try:
                fresh = self._fetched()
            except CloudsyncError as error:
                self._complained(f"{error.message}; {error.hint}")
                continue
            self._trouble = ""
            if fresh or self._mended():
                tell(self._news(fresh or self._given))

    def _fetched(self) -> str:
        """The newest, when the loop neither has it nor was told of it; empty else. It asks for the first by itself."""
        with self._lock:
            self._tip = self._follower.fetch()
            fresh = self._asked and self._tip not in (self._given, self._told)
            if self._asked:
                self._told = "" if self._tip == self._given else self._tip
            return self._tip if fresh else ""

    def _mended(self) -> bool:
        """Whether the commit that could not be read can be now: files of this clone were put right."""
        tip = self._unread
        if not tip or tip != self._bad:
            return False
        try:
            self._follower.cloud(tip)
        except CloudsyncError:
            return False
        self._unread = ""
        return True

    def _news(self, tip: str) -> Trigger:
        return Trigger(Reason.COMMIT, f"{self._follower.branch.title} is at {tip[:12]}")

    def _complained(self, words: str) -> None:
        if words != self._trouble:
            self._trouble = words
            self._complain(words)
