"""An error that nobody foresaw, as text fit for a log: its kind and where it came from.

Not what it says: an exception's own text may quote the input, and with it a secret.
"""

from traceback import extract_tb


def mishap(error: BaseException) -> str:
    """`KIND at FILE:LINE in FUNCTION, …`, the innermost last."""
    frames = extract_tb(error.__traceback__)[-6:]
    trail = ", ".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    return f"{type(error).__name__} at {trail or 'an unknown place'}"
