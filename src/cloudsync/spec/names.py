"""What things may be called: regular expressions that hold for Python, pydantic and JSON Schema alike, and words."""

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


def tidied(text: str) -> str:
    """A DNS label near `text`, or an empty one."""
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in text.lower())
    return kept[:63].strip("-")
