"""An error as text fit for a log.

A CloudsyncError says what a person is to know of it. Any other is told by its kind and where it came from, not by what
it says: an exception's own text may quote the input, and with it a secret.
"""

from traceback import extract_tb

from cloudsync.model.problem import CloudsyncError


def mishap(error: BaseException) -> str:
    """`MESSAGE (HINT)` of a CloudsyncError, else `KIND at FILE:LINE in FUNCTION, …`, the innermost last."""
    if isinstance(error, CloudsyncError):
        return f"{error.message} ({error.hint})" if error.hint else error.message
    frames = extract_tb(error.__traceback__)[-6:]
    trail = ", ".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    return f"{type(error).__name__} at {trail or 'an unknown place'}"
