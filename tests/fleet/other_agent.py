"""The real agent: of another version ($OTHER_VERSION), with a clock that is wrong ($OTHER_CLOCK, in seconds), without a
journal ($OTHER_JOURNAL=none)."""

import os
from datetime import datetime, timedelta, tzinfo

import cloudsync

cloudsync.__version__ = os.environ.get("OTHER_VERSION", cloudsync.__version__)

from cloudsync.agent import history, state  # noqa: E402
from cloudsync.cli.main import main  # noqa: E402


class Clock(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Clock":
        return super().now(tz) + timedelta(seconds=float(os.environ.get("OTHER_CLOCK", "0")))


if __name__ == "__main__":
    vars(state)["datetime"] = Clock
    if os.environ.get("OTHER_JOURNAL") == "none":
        vars(history)["install"] = lambda *_: None
    main()
