"""A host's `state:` in the spec, written in place: not a byte elsewhere moves. `host drain` calls it."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cloudsync.model.problem import CloudsyncError, Problem, SpecError
from cloudsync.spec.compose import Map
from cloudsync.spec.document import Document, parse, read
from cloudsync.spec.edit import write
from cloudsync.spec.suggest import did_you_mean
from cloudsync.spec.words import quote

_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[A-Za-z]+")


def restate(path: Path, host: str, state: str) -> Callable[[], None] | None:
    """Have `hosts.HOST.state` be `state`; None when it is so already, else what puts the former text back.
    CloudsyncError when the spec has no such host, or is not one that can be read or written."""
    document = read(path)
    if document.spots or not document.complete:
        raise SpecError([document.problem(spot) for spot in document.spots])
    entry = _entry(document, host)
    if entry.get("state", "active") == state:
        return None
    text = _changed(document, host, entry, state)
    if text is None or not _says(document, text, host, entry, state):
        place = document.place(("hosts", host), at_key=True)
        raise SpecError([Problem("the host's state cannot be put in here", place, f"write  state: {state}  yourself")])
    target, data = path.resolve(), text.encode("utf-8")
    write(target, data, document.data)
    return partial(write, target, document.data, data)


def _entry(document: Document, host: str) -> Map:
    hosts = document.root.get("hosts")
    entry = hosts.get(host) if isinstance(hosts, Map) else None
    if not isinstance(hosts, Map) or not isinstance(entry, Map):
        known = tuple(hosts) if isinstance(hosts, Map) else ()
        hint = did_you_mean(host, known) or f"the hosts are {', '.join(known) or 'none'}"
        raise CloudsyncError(f"{document.file} has no host {quote(host)}", hint)
    return entry


def _changed(document: Document, host: str, entry: Map, state: str) -> str | None:
    """The text with the word changed, or put in before the host's first key; None where neither is possible."""
    hosts = document.root["hosts"]
    lines = re.split(r"(?<=\n)", document.text)
    if "state" in entry:
        row, column = entry.marks["state"][2:]
        word = _WORD.match(lines[row], column)
        if word is None:
            return None
        lines[row] = lines[row][:column] + state + lines[row][word.end() :]
    else:
        row, column = hosts.marks[host][2:]
        flow = lines[row][column : column + 1] == "{"
        row, column = (row, column + 1) if flow else entry.marks[next(iter(entry))][:2]
        end = "\r\n" if lines[row].endswith("\r\n") else "\n"
        more = f"state: {state}, " if flow else f"state: {state}{end}{' ' * column}"
        lines[row] = lines[row][:column] + more + lines[row][column:]
    return ("\ufeff" if document.data.startswith(b"\xef\xbb\xbf") else "") + "".join(lines)


def _says(document: Document, text: str, host: str, entry: Map, state: str) -> bool:
    """Whether `text` holds the old values and the new state, and nothing else."""
    again = parse(document.file, text.encode("utf-8"))
    hosts = {**document.root["hosts"], host: {**entry, "state": state}}
    return again.complete and not again.spots and again.root == {**document.root, "hosts": hosts}
