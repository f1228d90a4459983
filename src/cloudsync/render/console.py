"""A serial console's log for a terminal: what a guest wrote, with its colours, and with nothing else that acts on one.

`logs` calls it; bytes that go to a file or a pipe are not changed.
"""

import re
from unicodedata import category

# ECMA-48: CSI sequences; strings (OSC, DCS, SOS, PM, APC) up to their end; escape sequences; then whatever is left.
_SEQUENCE = re.compile(
    r"(?P<colour>\x1b\[[0-9;:]{0,40}m)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]P^_X][^\x07\x1b\n]*(\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-Z\\`-~]|(?P<end>\r+\n?)|[^\n\t -~]"
)
_RESET = "\x1b[0m"
_ACTING = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def for_terminal(log: bytes) -> str:
    """The text; a carriage return begins a line of its own, so that none can be written over."""
    text = _SEQUENCE.sub(_kept, log.decode("utf-8", "replace"))
    return text + _RESET if "\x1b" in text else text


def _kept(found: re.Match[str]) -> str:
    if found["colour"]:
        return found[0]
    if found["end"]:
        return "\n"
    return found[0] if len(found[0]) == 1 and category(found[0]) not in _ACTING else ""
