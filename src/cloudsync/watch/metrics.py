"""What a watch does, as Prometheus reads it: an observer that counts. Imported only when somebody asks for metrics.

No label is a person's own word: changes are counted by kind, hosts and instances are not named.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)

from cloudsync import __version__
from cloudsync.model.plan import Action
from cloudsync.model.problem import CloudsyncError
from cloudsync.watch.happening import Ending, Happening, RoundEnded
from cloudsync.watch.trigger import Reason

_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 15.0, 60.0, 300.0)
_GOOD = (Ending.QUIET, Ending.APPLIED)
_BAD = (Ending.BROKEN, Ending.REFUSED)


class Metrics:
    """`newest` says which commit of a followed branch the watch is at, empty where none is followed: what a round
    applied may be an older one. `now` is the time of day in seconds."""

    def __init__(self, newest: Callable[[], str] = lambda: "", now: Callable[[], float] = time.time) -> None:
        self._newest, self._now = newest, now
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        Info("cloudsync_watch", "The watch itself.", registry=registry).info({"version": __version__})
        rounds, triggers = "Looks at what is wanted and what is there.", "Why it was looked."
        self._rounds = Counter("cloudsync_watch_rounds", rounds, ["outcome"], registry=registry)
        self._triggers = Counter("cloudsync_watch_triggers", triggers, ["reason"], registry=registry)
        self._seconds = Histogram(
            "cloudsync_watch_reconcile_seconds", "How long a look took.", buckets=_SECONDS, registry=registry
        )
        self._changes = Counter("cloudsync_watch_changes", "Changes carried out.", ["action"], registry=registry)
        self._repaired = Counter("cloudsync_watch_repaired_drift", "Drift repaired.", registry=registry)
        self._drift = Gauge("cloudsync_watch_drift", "Things found changed outside.", registry=registry)
        self._held = Gauge("cloudsync_watch_held_changes", "Changes that wait for a person.", registry=registry)
        self._unplaced = Gauge("cloudsync_watch_unplaced_instances", "Instances that no host takes.", registry=registry)
        self._resting = Gauge(
            "cloudsync_watch_resting_instances", "Instances whose repairs do not last, that wait.", registry=registry
        )
        self._silent = Gauge("cloudsync_watch_silent_hosts", "Hosts that do not answer.", registry=registry)
        self._success = Gauge(
            "cloudsync_watch_last_success_timestamp_seconds",
            "When all was last found or made as it is wanted, but for what waits.",
            registry=registry,
        )
        self._commit = Gauge(
            "cloudsync_watch_commit_info", "The commit that was last applied.", ["commit", "dirty"], registry=registry
        )
        self._pending = Gauge(
            "cloudsync_watch_commit_pending",
            "1 while the newest commit, or what was saved, is not applied because it is broken or refused.",
            registry=registry,
        )
        for ending in Ending:
            self._rounds.labels(ending.value)
        for reason in Reason:
            self._triggers.labels(reason.value)
        for action in Action:
            self._changes.labels(action.value)

    def __call__(self, happening: Happening) -> None:
        if isinstance(happening, RoundEnded):
            self._ended(happening)

    def _ended(self, one: RoundEnded) -> None:
        self._rounds.labels(one.ending.value).inc()
        self._seconds.observe(one.seconds)
        for trigger in one.triggers:
            self._triggers.labels(trigger.reason.value).inc()
        for change in one.made:
            self._changes.labels(change.action.value).inc()
        self._repaired.inc(one.repaired)
        self._silent.set(len(one.silent))
        if one.ending in _BAD:
            self._pending.set(1)
        if one.ending not in _GOOD:
            return
        self._pending.set(self._newest() not in ("", one.commit))
        self._drift.set(one.drift)
        self._held.set(len(one.held))
        self._unplaced.set(len(one.unplaced))
        self._resting.set(len(one.resting))
        if not (one.unplaced or one.resting):
            self._success.set(self._now())
        self._commit.clear()
        self._commit.labels(one.commit, str(one.dirty).lower()).set(1)


@contextmanager
def serving(metrics: Metrics, host: str, port: int) -> Iterator[int]:
    """They can be read there within the block; the port. CloudsyncError when that is not to be had."""
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as error:
        raise CloudsyncError(
            f"metrics cannot be read at {host} port {port}: {(error.strerror or str(error)).lower()}",
            "give --metrics another ADDRESS:PORT",
        ) from None
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
