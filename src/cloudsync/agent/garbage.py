"""How often the agent looks for garbage. Called by its command, and by benches that time what the agent does."""

import gc

_OBJECTS = 100_000


def seldom() -> None:
    """A long document is tens of thousands of objects, and none of them is garbage: Python's usual 700 have all of them
    gone through while they are being made."""
    gc.set_threshold(_OBJECTS)
    gc.enable()
