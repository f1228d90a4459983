"""Changes to a spec that keep everything else as it was written. `keypair` and `restate` call it, `init` its `entry`.

A line is put in where the text allows it, so that not a byte elsewhere moves; else ruamel's round trip rewrites the
file. Either way what comes out is read again, and written only when it says the old values and the new one.
"""

import json
import os
import re
import tempfile
from pathlib import Path

from cloudsync.model.problem import CloudsyncError, Problem, SpecError
from cloudsync.spec import names, publickey
from cloudsync.spec.compose import Map
from cloudsync.spec.document import Document, parse, read
from cloudsync.spec.scalar import plain
from cloudsync.spec.words import quote

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9@.-]+ [A-Za-z0-9+/=]+( [A-Za-z0-9@._+-]+)*")


def check_name(name: str) -> None:
    """Raise CloudsyncError unless it can name a key pair, and the file that keeps its private half."""
    if not re.fullmatch(names.KEYPAIR.removesuffix("$"), name) or not name.strip("."):
        raise CloudsyncError(f"{quote(name)} cannot name a key pair", f"use {names.WORDS[names.KEYPAIR]}")


def add_keypair(path: Path, name: str, public_key: str) -> None:
    """Put `name: public_key` under `keypairs` of the spec at `path`. CloudsyncError when the name or the key is no
    good, the name is there already, or the file cannot be read or written."""
    check_name(name)
    try:
        line = publickey.parse(public_key).line
    except publickey.PublicKeyError as error:
        raise CloudsyncError(str(error), error.hint) from None
    document = read(path)
    if document.spots or not document.complete:
        raise SpecError([document.problem(spot) for spot in document.spots])
    _refuse_taken(document, name)
    write(path.resolve(), _edited(document, name, line).encode("utf-8"), document.data)


def _refuse_taken(document: Document, name: str) -> None:
    present = document.root.get("keypairs")
    if present is not None and not isinstance(present, Map):
        hint = "write the name of each key pair below it, then a colon"
        raise SpecError([Problem('"keypairs" must be a mapping of names', document.place(("keypairs",)), hint)])
    if present and name in present:
        place = document.place(("keypairs", name), at_key=True)
        hint = "choose another name, or remove that line first"
        raise SpecError([Problem(f"there is a key pair {quote(name)} already", place, hint)])


def _edited(document: Document, name: str, line: str) -> str:
    for attempt in (_inserted, _round_trip):
        text = attempt(document, name, line)
        if text is not None and _says(document, text, name, line):
            return text
    raise CloudsyncError(f"{document.file}: the key pair cannot be put in", f"write it yourself under keypairs: {line}")


def _says(document: Document, text: str, name: str, line: str) -> bool:
    """Whether `text` holds the old values and the new key pair, and nothing else."""
    again = parse(document.file, text.encode("utf-8"))
    keys = {**(document.root.get("keypairs") or {}), name: line}
    return again.complete and not again.spots and again.root == {**document.root, "keypairs": keys}


def written(name: str) -> str:
    """A name as YAML has it, in quotes where it would be something else without."""
    return name if _PLAIN_NAME.fullmatch(name) and isinstance(plain(name), str) else json.dumps(name)


def entry(name: str, line: str) -> str:
    """`name: line` as YAML; a key's comment may hold anything."""
    return f"{written(name)}: {line if _PLAIN_KEY.fullmatch(line) else json.dumps(line, ensure_ascii=False)}"


def _inserted(document: Document, name: str, line: str) -> str | None:
    """The text with one line more, or None where the section is a flow mapping that holds something."""
    mark = "\ufeff" if document.data.startswith(b"\xef\xbb\xbf") else ""
    lines = re.split(r"(?<=\n)", document.text)
    end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    if "keypairs" not in document.root:
        last = "" if document.text.endswith("\n") else end
        return f"{mark}{document.text}{last}{end}keypairs:{end}  {entry(name, line)}{end}"
    if document.root["keypairs"]:
        at, indent = after_last(document.root["keypairs"], lines)
    else:
        at, indent = _emptied(document.root, lines), 2
    if not 0 < at <= len(lines):
        return None
    if not lines[at - 1].endswith("\n"):
        lines[at - 1] += end
    return mark + "".join([*lines[:at], f"{' ' * indent}{entry(name, line)}{end}", *lines[at:]])


def _emptied(root: Map, lines: list[str]) -> int:
    """The line after an empty section, whose {} is taken out; 0 where it is written in another way."""
    row, _, value_row, column = root.marks["keypairs"]
    if root["keypairs"] is None:
        return row + 1
    if value_row >= len(lines) or lines[value_row][column : column + 2] != "{}":
        return 0
    lines[value_row] = lines[value_row][:column].rstrip(" ") + lines[value_row][column + 2 :]
    return value_row + 1


def after_last(present: Map, lines: list[str]) -> tuple[int, int]:
    """The line after the last key pair and what belongs to it, and the column of its key."""
    row, indent = present.marks[list(present)[-1]][:2]
    at = row + 1
    while at < len(lines) and lines[at].strip() and _indent(lines[at]) > indent:
        at += 1
    return at, indent


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _round_trip(document: Document, name: str, line: str) -> str | None:
    from cloudsync.spec.yaml import with_entry

    return with_entry(document.text, "keypairs", name, line)


def write(target: Path, data: bytes, before: bytes) -> None:
    """Replace the file in one step, with the mode it has; CloudsyncError when it changed since it was read."""
    try:
        mode = target.stat().st_mode & 0o7777
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            if target.read_bytes() != before:
                raise CloudsyncError(f"{target} was changed by somebody else just now", "run this again")
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise CloudsyncError(f"{target}: {reason}", "check who may write there") from None
