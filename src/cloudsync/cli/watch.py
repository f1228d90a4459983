"""`watch`: keep the cloud as the spec says, until somebody ends it."""

import gc
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cloudsync.cli.exits import Exit
from cloudsync.cli.formats import one_of
from cloudsync.cli.keys import pressed, typed_here
from cloudsync.cli.say import colour, mute, out
from cloudsync.cli.who import who
from cloudsync.model.problem import CloudsyncError
from cloudsync.render.paint import Paint
from cloudsync.spec.durations import parse
from cloudsync.watch.consent import Consent
from cloudsync.watch.ear import HostEar
from cloudsync.watch.files import Files
from cloudsync.watch.happening import Happening, Observer
from cloudsync.watch.lines import line
from cloudsync.watch.loop import Watch
from cloudsync.watch.source import Ear, Source
from cloudsync.watch.systemd import Systemd
from cloudsync.watch.trigger import Trigger
from cloudsync.watch.words import Words

if TYPE_CHECKING:
    from cloudsync.cli.following import Following


def run(
    path: Path,
    every: str | None,
    style: str | None,
    parallelism: int,
    following: "Following | None" = None,
    metrics: str | None = None,
) -> int:
    """130 when an apply was interrupted. `metrics` is the ADDRESS:PORT at which they can be read."""
    if style is not None:
        one_of(style, "text", "json")
    seconds = parse(every) if every is not None else None
    ear = HostEar()
    observers: list[Observer] = [Systemd(), ear]
    # Who does not ask for drift to be found is not told of it.
    ears = [ear] if seconds is not None else []
    if following is None:
        with _counted(metrics, lambda: "") as counting:
            return keep(Files(path), str(path), seconds, style, parallelism, observers, counting, ears)
    branch = following.source(path, seconds)
    subject = f"{path} of {following.branch}"
    with _counted(metrics, lambda: branch.commit) as counting:
        observers += following.observers(branch)
        return keep(branch, subject, seconds, style, parallelism, observers, counting, ears)


@contextmanager
def _counted(metrics: str | None, newest: Callable[[], str]) -> Iterator[Sequence[Observer]]:
    """`newest` is the commit that a followed branch is at."""
    if metrics is None:
        yield ()
        return
    from cloudsync.cli.listening import readers
    from cloudsync.watch.metrics import Metrics, serving

    counting = Metrics(newest)
    with serving(counting, *readers(metrics)):
        yield (counting,)


def keep(
    source: Source,
    subject: str,
    every: float | None,
    style: str | None,
    parallelism: int,
    observers: Sequence[Observer] = (),
    counting: Sequence[Observer] = (),
    ears: Sequence[Ear] = (),
) -> int:
    """Watch `source`, which is called `subject`, and show it: as `style` says, else a screen on a terminal and JSON
    elsewhere. `counting` have counted what is shown."""
    # Others end before there is garbage worth collecting; this one has to.
    gc.enable()
    live = style is None and sys.stdout.isatty()
    watch = Watch(source, who(), every, parallelism, ears=ears)
    with _shown(style or ("text" if live else "json"), live, subject) as seen, _ending(watch.stop):
        watch.observers = (*counting, seen, *observers)
        with pressed(lambda key: _key(watch, key)):
            interrupted = watch.run()
    return Exit.INTERRUPTED if interrupted else Exit.DONE


@contextmanager
def _shown(style: str, live: bool, subject: str) -> Iterator[Observer]:
    if style == "json":
        yield _json
    elif not live:
        yield _Text()
    else:
        from cloudsync.watch.screen import Screen

        with Screen(Words(Paint(colour())), subject, typed_here(), _time_of_day) as screen:
            yield screen.seen


def _json(happening: Happening) -> None:
    found = line(happening, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z")
    if found:
        _print(json.dumps(found))


class _Text:
    """Lines where there is no terminal, or none is wanted."""

    def __init__(self) -> None:
        self._words = Words(Paint(colour()))

    def __call__(self, happening: Happening) -> None:
        self._words, said = self._words.after(happening)
        if said:
            _print(f"{_time_of_day()} {said}")


def _print(text: str) -> None:
    """A reader that is gone ends nothing: the cloud is kept all the same."""
    try:
        out(text)
    except (BrokenPipeError, CloudsyncError):
        mute(sys.stdout)


def _time_of_day() -> str:
    return f"{datetime.now():%H:%M:%S}"


def _key(watch: Watch, key: str) -> None:
    meanings: dict[str, Trigger] = {"a": Consent.KEEPING_DATA.trigger, "D": Consent.ALL.trigger}
    if key in meanings:
        watch.hear(meanings[key])
    elif key == "q":
        watch.stop()


@contextmanager
def _ending(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C, SIGTERM and the end of a login."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stop()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
