"""Tells systemd that the watch is ready, what it does, and that it lives. An observer of the watch.

Without systemd (no $NOTIFY_SOCKET) nothing is told.
"""

import os
from collections.abc import Callable
from time import monotonic

from cloudsync.agent.notify import notify
from cloudsync.spec.words import count, printable, some
from cloudsync.watch.happening import Ended, Ending, Happening, Ready, RoundBegan, RoundEnded


class Systemd:
    """`clock` is in seconds."""

    def __init__(self, tell: Callable[[str], None] = notify, clock: Callable[[], float] = monotonic) -> None:
        self._tell, self._clock = tell, clock
        self._pause = _pause()
        self._told = float("-inf")

    def __call__(self, happening: Happening) -> None:
        """What happens at all is a sign of life; when nothing does, the watch says so every few seconds."""
        words = _words(happening)
        now = self._clock()
        if self._pause is not None and now - self._told >= self._pause:
            self._told = now
            words.append("WATCHDOG=1")
        if words:
            self._tell("\n".join(words))


def _pause() -> float | None:
    """Seconds between two signs of life: half of what systemd allows. None when it asks this process for none."""
    allowed, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not (allowed.isascii() and allowed.isdigit()) or process not in ("", str(os.getpid())):
        return None
    return int(allowed) / 2_000_000


def _words(happening: Happening) -> list[str]:
    if isinstance(happening, Ready):
        return ["READY=1", "STATUS=looking for the first time"]
    if isinstance(happening, RoundBegan):
        why = happening.triggers[0].detail or happening.triggers[0].reason.value if happening.triggers else "asked"
        return [f"STATUS=looking: {printable(why)}"]
    if isinstance(happening, RoundEnded):
        return [f"STATUS={printable(_status(happening))}"]
    if isinstance(happening, Ended):
        return ["STOPPING=1", "STATUS=ended"]
    return []


def _status(one: RoundEnded) -> str:
    wanted = one.ending in (Ending.QUIET, Ending.APPLIED) and not (one.unplaced or one.resting)
    done = "all is as it is wanted" if wanted else one.ending.value
    more = [one.message] if one.message else [count(len(one.problems), "problem")] if one.problems else []
    more += [f"{count(len(one.held), 'change')} held"] if one.held else []
    more += [f"no place for {some([it.instance for it in one.unplaced])}"] if one.unplaced else []
    more += [f"repairs of {some([it.address for it in one.resting])} do not last"] if one.resting else []
    more += [f"no answer from {', '.join(one.silent)}"] if one.silent else []
    at = [f"commit {one.commit[:12]}"] if one.commit else []
    return "; ".join([done, *more, *at])[:400]
