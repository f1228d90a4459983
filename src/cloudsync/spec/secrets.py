"""Which lines of a spec must not be shown, because they may hold user-data or a private key. Pure text, so that it
also works where the YAML does not parse."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache

_KEY = re.compile(r"""(?<![\w-])(?P<key>[A-Za-z][\w -]{2,30}[\w-])(?=["']?\s*:)|(?<!\w)user_data(?!\w)""")
_NAMES = ("userdata", "cloudinit", "cloudconfig")
# What user-data itself begins with, https://cloudinit.readthedocs.io/en/latest/explanation/format.html
_BEGINNING = re.compile(
    r"\s*(#cloud-(config|boothook)|#!\s*/|#part-handler|#include(-once)?\s*$|## *template:|Content-Type:)"
)
_HARMLESS = re.compile(r"""["']?\s*:\s*(\{\s*["']?file["']?\s*:[^"'|>]*|[|>][-+0-9]*\s*(#.*)?|)$""")
_BLOCK = re.compile(r":\s*[|>][-+0-9]*\s*(#.*)?$")
_KNOWN_KEY = re.compile(
    r"\s*(version|cloud|fabric|scheduler|migration|repair|hosts|images|networks|flavors|keypairs|security_groups|placement_groups"
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


@lru_cache(maxsize=4096)
def like_user_data(key: str) -> bool:
    """Whether `key` is `user_data`, however it is spelt or misspelt."""
    folded = "".join(char for char in key.casefold() if char.isalnum())
    return bool(get_close_matches(folded, _NAMES, n=1, cutoff=0.75))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _user_data(lines: Sequence[str], broken: bool) -> list[int]:
    hidden: list[int] = []
    depth: int | None = None
    for index, line in enumerate(lines):
        if depth is not None and _still_inside(line, depth, broken):
            hidden.append(index)
            continue
        depth, shown = _opened(line, broken)
        if not shown:
            hidden.append(index)
    return hidden


def _opened(line: str, broken: bool) -> tuple[int | None, bool]:
    """How deep what follows must stand to be user-data, if this line begins any, and whether the line may be shown."""
    if _BEGINNING.match(line):
        return _indent(line) - 1, False
    found = [] if line.lstrip().startswith("#") else list(_KEY.finditer(line))
    rests = [line[one.end() :] for one in found if one["key"] is None or like_user_data(one["key"])]
    opens = bool(rests) or (broken and bool(_BLOCK.search(line)))
    return (_indent(line) if opens else None), all(_HARMLESS.match(rest) for rest in rests)


def _still_inside(line: str, depth: int, broken: bool) -> bool:
    if depth < 0:
        return not _KNOWN_KEY.match(line)
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
