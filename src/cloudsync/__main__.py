"""Where the `cloudsync` command begins; `python -m cloudsync` is the same."""

import os
import signal
from typing import NoReturn


def run() -> None:
    """The command line. Ctrl-C ends it like a command from the first moment on: importing takes a while."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    from cloudsync.cli.main import main

    if signal.getsignal(signal.SIGINT) is _interrupted:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        main()
    except SystemExit as end:
        from cloudsync.cli.end import leave

        leave(end)


def _interrupted(_number: int, _frame: object) -> NoReturn:
    os.write(2, b"interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    run()
