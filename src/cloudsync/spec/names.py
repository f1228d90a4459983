"""What things may be called: regular expressions that hold for Python, pydantic and JSON Schema alike, and words."""

import re

from cloudsync.spec.words import PRIVATE

LABEL = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
NAME = r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?$"
KEYPAIR = r"^[A-Za-z0-9_.@-]([A-Za-z0-9_.@ -]{0,253}[A-Za-z0-9_.@-])?$"
DEVICE = r"^[A-Za-z0-9_.@-]{1,15}$"
DOMAIN = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"
LOGIN = r"^[a-z_][a-z0-9_-]{0,31}$"
LABEL_KEY = r"^[A-Za-z0-9]([A-Za-z0-9_./-]{0,61}[A-Za-z0-9])?$"
LABEL_VALUE = r"^[A-Za-z0-9_.:/-]{0,63}$"
METADATA_KEY = r"^[A-Za-z0-9_:. -]{1,255}$"

# What the pattern asks for, as the end of "… must be".
WORDS = {
    LABEL: "lower-case letters, digits and dashes, at most 63, no dash at either end",
    NAME: "letters, digits, dots, dashes and underscores, at most 63, a letter or digit first",
    KEYPAIR: "letters, digits, spaces and _ . @ -, at most 255",
    DEVICE: "a network device name, at most 15 characters",
    DOMAIN: "a DNS name in lower case, such as demo.internal",
    LOGIN: "a user name in lower case, at most 32 characters",
    LABEL_KEY: "letters, digits and _ . / -, at most 63",
    LABEL_VALUE: "letters, digits and _ . : / -, at most 63",
    METADATA_KEY: "letters, digits, spaces and - _ : . only, at most 255",
}

# How a name is mended: a dash in place of what cannot be in it, nothing of this at either end, and at most so many
# characters; then an example for where nothing is left.
_MENDED = {
    LABEL: (r"[^a-z0-9-]+", "-", 63, "web-1"),
    NAME: (r"[^A-Za-z0-9_.-]+", "-_.", 63, "rack-a"),
    KEYPAIR: (r"[^A-Za-z0-9_.@ -]+", " ", 255, "alice"),
    DOMAIN: (r"[^a-z0-9.-]+", "-.", 200, "demo.internal"),
    LOGIN: (r"[^a-z0-9_-]+", "-", 32, "debian"),
    LABEL_KEY: (r"[^A-Za-z0-9_./-]+", "-_./", 63, "disk"),
    LABEL_VALUE: (r"[^A-Za-z0-9_.:/-]+", "-", 63, "nvme"),
    METADATA_KEY: (r"[^A-Za-z0-9_:. -]+", "-", 255, "role"),
}


def better(text: str, pattern: str, example: str = "") -> str:
    """A hint: a name near `text`, which `pattern` does not take."""
    if pattern not in _MENDED:
        return "on the host, `ip link` shows their names"
    strange, ends, longest, usual = _MENDED[pattern]
    if len(text) > longest:
        return f"shorten it: it has {len(text)} characters"
    found = text if "A" in strange else text.lower()
    found = re.sub(strange, "-", found).strip(ends)
    mended = text.isprintable() and re.fullmatch(pattern, found) and not PRIVATE.search(text)
    return f"for example {found if mended else example or usual}"
