"""The real agent as of another version, with a clock that is wrong: $OTHER_VERSION, $OTHER_CLOCK in seconds."""

import os
from datetime import datetime, timedelta, tzinfo

import cloudsync

cloudsync.__version__ = os.environ.get("OTHER_VERSION", cloudsync.__version__)

from cloudsync.agent import state  # noqa: E402
from cloudsync.cli.main import main  # noqa: E402


class Clock(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Clock":
        return super().now(tz) + timedelta(seconds=float(os.environ.get("OTHER_CLOCK", "0")))


if __name__ == "__main__":
    vars(state)["datetime"] = Clock
    main()
