"""Which lines of a spec must not be shown, because they may hold user-data or a private key. Pure text, so that it
also works where the YAML does not parse."""

import re
from collections.abc import Sequence

_USER_DATA = re.compile(r"(?<!\w)user_data(?!\w)(?P<rest>.*)")
_HARMLESS = re.compile(r"""["']?\s*:\s*(\{\s*["']?file["']?\s*:[^"'|>]*|[|>][-+0-9]*\s*(#.*)?|)$""")
_KNOWN_KEY = re.compile(
    r"\s*(version|cloud|fabric|scheduler|repair|hosts|images|networks|flavors|keypairs|security_groups|placement_groups"
    r"|instances|expect|count|was|image|flavor|network|placement|metadata|floating_ip|update|on_user_data_change"
    r"|protect|state|ignore|paused|disks)\s*:"
)
_PRIVATE_START = re.compile(
    r"BEGIN [A-Z0-9 ]*PRIVATE KEY|b3BlbnNzaC1rZXktdjE|PuTTY-User-Key-File|AGE-SECRET-KEY-"
    r"|(?:^|[\s'\"])MII[A-Za-z0-9+/]{20}"
)
_PRIVATE_END = re.compile(r"END [A-Z0-9 ]*PRIVATE KEY|Private-MAC")
_PRIVATE_BODY = re.compile(
    r"""[\s"'>|-]*([A-Za-z0-9+/=\\]+|(Proc-Type|DEK-Info|Encryption|Comment|(Public|Private)-Lines): .*|)["'\s]*$"""
)


def secret_lines(lines: Sequence[str], broken: bool) -> frozenset[int]:
    """Indexes (from 0) of lines to withhold. `broken`: the YAML did not parse, so that indentation proves nothing."""
    return frozenset(_user_data(lines, broken)) | frozenset(_private_keys(lines))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _user_data(lines: Sequence[str], broken: bool) -> list[int]:
    hidden: list[int] = []
    depth: int | None = None
    for index, line in enumerate(lines):
        inside = depth is not None and _still_inside(line, depth, broken)
        if inside:
            hidden.append(index)
        else:
            depth = None
        found = None if line.lstrip().startswith("#") else _USER_DATA.search(line)
        if found and not inside:
            depth = _indent(line)
            if not _HARMLESS.match(found["rest"]):
                hidden.append(index)
    return hidden


def _still_inside(line: str, depth: int, broken: bool) -> bool:
    if not line.strip() or _indent(line) > depth:
        return True
    return broken and not _KNOWN_KEY.match(line)


def _private_keys(lines: Sequence[str]) -> list[int]:
    hidden: list[int] = []
    inside = False
    for index, line in enumerate(lines):
        starts = bool(_PRIVATE_START.search(line))
        inside = starts or (inside and bool(_PRIVATE_BODY.match(line) or _PRIVATE_END.search(line)))
        if inside:
            hidden.append(index)
        if inside and _PRIVATE_END.search(line):
            inside = False
    return hidden
