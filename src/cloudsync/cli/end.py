"""How a command ends: what it raised becomes words on stderr and an exit code. `main` calls it."""

import os
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from cloudsync.cli.exits import Exit
from cloudsync.model.problem import CloudsyncError, SpecError


def code_of(command: Callable[[], Any]) -> int:
    """Run it; the code that the process is to end with."""
    try:
        return int(command() or Exit.DONE)
    except SpecError as error:
        from cloudsync.cli.say import complain

        complain(error.problems)
        return Exit.FAILED
    except CloudsyncError as error:
        from cloudsync.cli.say import fail

        fail(error)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        from cloudsync.cli.say import say

        say("interrupted")
        _at_once(Exit.INTERRUPTED)
    except typer.TyperException as error:
        return _usage(error)
    except OSError as error:
        return _refused(error)
    except Exception as error:
        return _bug(error)


def typed(app: typer.Typer, words: list[str]) -> Any:
    """Do what was typed. Typer's own `main` would make a code of Ctrl-C: nobody would be told, and threads that hang be
    waited for."""
    command = typer.main.get_command(app)
    try:
        with command.make_context("cloudsync", list(words)) as context:
            return command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except EOFError as error:
        raise typer.Abort from error


def leave(end: SystemExit) -> NoReturn:
    """Without what Python does at its end, a twentieth of a plan's time, unless threads have to come to theirs."""
    if threading.active_count() > 1:
        raise end
    _at_once(int(end.code or 0))


def _at_once(code: int) -> NoReturn:
    """Python would wait for threads that still ask a host, and neither libvirt nor ssh can be interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                code = code or Exit.FAILED
    os._exit(code)


def _usage(error: typer.TyperException) -> int:
    show = getattr(error, "show", None)
    if show:
        show()
    return Exit.USAGE if error.exit_code == 2 else error.exit_code


def _refused(error: OSError) -> int:
    """The system refused something, such as room on a full disk: no bug of ours. A reader that is gone is not told."""
    from cloudsync.cli.say import fail, mute

    if sys.stdout is not None:
        mute(sys.stdout)
    if isinstance(error, BrokenPipeError):
        return Exit.FAILED
    if os.environ.get("CLOUDSYNC_DEBUG"):
        raise error
    where = f"{error.filename}: " if error.filename else ""
    reason = (error.strerror or str(error)).lower()
    fail(CloudsyncError(f"{where}{reason}", "CLOUDSYNC_DEBUG=1 shows where this came from"))
    return Exit.FAILED


def _bug(error: Exception) -> int:
    if os.environ.get("CLOUDSYNC_DEBUG"):
        raise error
    from cloudsync.cli.say import fail

    what = f"this is a bug in cloudsync ({type(error).__name__})"
    fail(CloudsyncError(what, "run it again with CLOUDSYNC_DEBUG=1 and report what it prints"))
    return Exit.FAILED
