"""Who is at the keyboard: recorded with every apply and shown by a held lock."""

import getpass
import platform


def who() -> str:
    """`user@machine`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{platform.node()}"
