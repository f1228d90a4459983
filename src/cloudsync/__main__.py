"""Where the `cloudsync` command begins; `python -m cloudsync` is the same."""

import os
import signal
import sys
import threading
from contextlib import suppress
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
    except SystemExit as ended:
        _leave(ended.code)
        raise


def _leave(code: object) -> None:
    """At once where nothing is left to be done but to free memory piece by piece, which the kernel does at a stroke."""
    others = [one for one in threading.enumerate() if one is not threading.main_thread()]
    if isinstance(code, int) and all(one.daemon for one in others):
        with suppress(OSError, ValueError):
            for stream in filter(None, (sys.stdout, sys.stderr)):
                stream.flush()
            os._exit(code)


def _interrupted(_number: int, _frame: object) -> NoReturn:
    os.write(2, b"interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    run()
