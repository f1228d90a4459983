"""Asks programs of the host for their version or state: the door that runs them."""

import os
import re
import subprocess

_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
_PATIENCE = 5.0


def output(*command: str) -> str:
    """What it prints; empty when it is not there or takes more than five seconds."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=_ENVIRONMENT, timeout=_PATIENCE, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def version(text: str) -> str:
    """The first thing in `text` that looks like one; empty when nothing does."""
    found = re.search(r"\bv?(\d+\.\d+(\.\d+)?)", text)
    return found[1] if found else ""
