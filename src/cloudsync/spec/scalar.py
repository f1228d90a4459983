"""What a plain YAML 1.2 scalar stands for: null, true, false, a number, else text. Called by `compose`."""

import re

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_START = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}")
_OTHER_BASE = re.compile(r"0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

# The tags of the core schema; True where the text is resolved like a plain scalar.
TAGS = {
    "!": False,
    "tag:yaml.org,2002:str": False,
    "tag:yaml.org,2002:int": True,
    "tag:yaml.org,2002:float": True,
    "tag:yaml.org,2002:bool": True,
    "tag:yaml.org,2002:null": True,
}


def plain(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar. `on`, `yes`, dates and 1_000 are text, as YAML 1.2 says."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return _number(text) if text[0] in _NUMBER_START else text


def _number(text: str) -> str | int | float:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text
