"""What a watch counts, read as Prometheus reads it."""

import urllib.request
from typing import Any

import pytest

from cloudsync.model.plan import Action, Change, Held, Unplaced
from cloudsync.model.problem import CloudsyncError
from cloudsync.watch.happening import Beat, Ending, RoundEnded
from cloudsync.watch.metrics import Metrics, serving
from cloudsync.watch.trigger import Reason, Trigger
from tests.watch.conventions import read, samples, wrong

WHY = (Trigger(Reason.SAVE, "cloud.yaml"), Trigger(Reason.EVENT, "web-1 crashed"))
MADE = tuple(Change(address=f"instance.web-{number}", action=Action.CREATE) for number in range(3))


def ended(ending: Ending, **more: Any) -> RoundEnded:
    told: dict[str, Any] = {"seconds": 0.3, "commit": "ab" * 20} | more
    return RoundEnded(number=1, triggers=WHY, ending=ending, **told)


def test_rounds() -> None:
    metrics = Metrics(now=lambda: 1_000_000.0)
    metrics(Beat())
    metrics(ended(Ending.APPLIED, made=MADE, held=(Held(why="destroys", change=MADE[0]),), drift=2, repaired=2))
    metrics(ended(Ending.FAILED, seconds=70.0, commit="cd" * 20, drift=5, silent=("h1",)))
    found = read(metrics.registry)
    assert found["cloudsync_watch_rounds_total", (("outcome", "applied"),)] == 1
    assert found["cloudsync_watch_rounds_total", (("outcome", "failed"),)] == 1
    assert found["cloudsync_watch_rounds_total", (("outcome", "refused"),)] == 0
    assert found["cloudsync_watch_triggers_total", (("reason", "event"),)] == 2
    assert found["cloudsync_watch_changes_total", (("action", "create"),)] == 3
    assert found["cloudsync_watch_repaired_drift_total", ()] == 2
    assert found["cloudsync_watch_drift", ()] == 2
    assert found["cloudsync_watch_held_changes", ()] == 1
    assert found["cloudsync_watch_silent_hosts", ()] == 1
    assert found["cloudsync_watch_last_success_timestamp_seconds", ()] == 1_000_000
    assert found["cloudsync_watch_reconcile_seconds_sum", ()] == pytest.approx(70.3)
    assert found["cloudsync_watch_reconcile_seconds_bucket", (("le", "0.4"),)] == 1


def test_all_is_not_as_it_is_wanted_while_an_instance_has_no_place() -> None:
    times = iter((1_000.0, 2_000.0))
    metrics = Metrics(now=lambda: next(times))
    metrics(ended(Ending.APPLIED))
    metrics(ended(Ending.QUIET, unplaced=(Unplaced(instance="huge"),)))
    found = read(metrics.registry)
    assert found["cloudsync_watch_unplaced_instances", ()] == 1
    assert found["cloudsync_watch_last_success_timestamp_seconds", ()] == 1_000
    metrics(ended(Ending.APPLIED))
    found = read(metrics.registry)
    assert found["cloudsync_watch_unplaced_instances", ()] == 0
    assert found["cloudsync_watch_last_success_timestamp_seconds", ()] == 2_000


def pending(metrics: Metrics) -> float:
    return read(metrics.registry)["cloudsync_watch_commit_pending", ()]


def test_a_commit_that_is_not_taken_is_pending_while_the_older_one_is_kept() -> None:
    good, bad, mended = "ab" * 20, "cd" * 20, "ef" * 20
    newest = good
    metrics = Metrics(lambda: newest)
    assert pending(metrics) == 0
    metrics(ended(Ending.APPLIED, commit=good))
    assert pending(metrics) == 0
    for ending in (Ending.BROKEN, Ending.REFUSED):
        newest = bad
        metrics(ended(ending, commit=""))
        assert pending(metrics) == 1
        for quiet in (Ending.QUIET, Ending.APPLIED, Ending.FAILED):
            metrics(ended(quiet, commit=good))
            assert pending(metrics) == 1
        newest = mended
        metrics(ended(Ending.APPLIED, commit=mended))
        assert pending(metrics) == 0


def test_a_save_that_is_broken_is_pending_until_the_next() -> None:
    metrics = Metrics()
    metrics(ended(Ending.BROKEN, commit=""))
    assert pending(metrics) == 1
    metrics(ended(Ending.LOCKED))
    assert pending(metrics) == 1
    metrics(ended(Ending.QUIET, dirty=True))
    assert pending(metrics) == 0


def test_one_commit_is_the_deployed_one() -> None:
    metrics = Metrics()
    for commit in ("ab" * 20, "cd" * 20):
        metrics(ended(Ending.QUIET, commit=commit, dirty=True))
    metrics(ended(Ending.REFUSED, commit="ef" * 20))
    commits = [labels for name, labels in read(metrics.registry) if name == "cloudsync_watch_commit_info"]
    assert commits == [(("commit", "cd" * 20), ("dirty", "true"))]


def test_it_is_read_at_its_address_within_the_block() -> None:
    metrics = Metrics()
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with serving(metrics, "127.0.0.1", 0) as port:
        with straight.open(f"http://127.0.0.1:{port}/metrics") as answer:
            assert ("cloudsync_watch_drift", ()) in samples(answer.read().decode())
        with (
            pytest.raises(CloudsyncError, match=f"cannot be read at 127.0.0.1 port {port}"),
            serving(metrics, "127.0.0.1", port),
        ):
            pass
    with pytest.raises(OSError, match="refused"):
        straight.open(f"http://127.0.0.1:{port}/metrics")


def test_a_name_that_breaks_the_conventions_is_found() -> None:
    """The check itself."""
    for text in (
        "# HELP x y\n# TYPE x gauge\nx 1\n",
        '# HELP cloudsync_x y\n# TYPE cloudsync_x histogram\ncloudsync_x_bucket{le="+Inf"} 1\n',
        "# HELP cloudsync_x_ms y\n# TYPE cloudsync_x_ms gauge\ncloudsync_x_ms 1\n",
        "# TYPE cloudsync_x gauge\ncloudsync_x 1\n",
        "# HELP cloudsync_x_total y\n# TYPE cloudsync_x_total gauge\ncloudsync_x_total 1\n",
    ):
        assert len(wrong(text)) == 1, text
