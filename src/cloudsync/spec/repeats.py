"""A text of many entries that say the same but for their names -> its values, what is the same read once. `document`
calls it.

What follows `KEY:` on lines of its own is exchanged as graft.py does it, between entries of one section: the first that
says something is read, `KEY: 0` in place of the others.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from cloudsync.spec.compose import MOST_NODES, Map, Seq, Value
from cloudsync.spec.finding import Trail
from cloudsync.spec.graft import ODD, Columns, Entry, Grafted, blocks, entries, only_keys, read_alike, reduced

_SECTION = re.compile(r"(?:^|\n)([a-z_]+):[ ]*(?:#[^\n]*)?(?:\n[ ]*(?:#[^\n]*)?)*\n( +)[^\s#]")


def unfold(text: str) -> Grafted | None:
    """None where it has to be read whole, or nothing is there twice."""
    if text.startswith(("%", "---", "...")) or any(one in text for one in ODD):
        return None
    columns = {found[1]: len(found[2]) for found in _SECTION.finditer(text)}
    first: dict[tuple[str, str], Entry] = {}
    again = [
        (one, like)
        for one, body in _bodies(text, columns)
        if (like := first.setdefault((one.section, body), one)) is not one
    ]
    if not again:
        return None
    same = [one for one, _ in again]
    shorter = reduced(text, same, same, columns)
    found = read_alike(shorter, text, disguised=False) or read_alike(shorter, text, disguised=True)
    if found is None or not only_keys(found.root, same, same, columns):
        return None
    likes = {like.start: like for _, like in again}
    if not _whole(found.root, text, list(likes.values())):
        return None
    weights = {start: _weight(found.root[like.section][like.name]) for start, like in likes.items()}
    nodes = found.nodes + sum(weights[like.start] - 1 for _, like in again)
    if nodes > MOST_NODES:
        return None
    moved: dict[Trail, int] = {}
    for one, like in again:
        section = found.root[one.section]
        _, column, row, at = section.marks[like.name]
        down = one.line - like.line
        section[one.name], section.marks[one.name] = section[like.name], (one.line, column, row + down, at)
        moved[one.section, one.name] = down
    return Grafted(found.root, replace(found, nodes=nodes), moved)


def _bodies(text: str, columns: Columns) -> Iterator[tuple[Entry, str]]:
    for one in entries(text, columns):
        head = f"{' ' * columns[one.section]}{one.name}:\n"
        if one.text.startswith(head) and one.name.isascii() and one.name.replace("-", "").replace(".", "").isalnum():
            yield one, one.text[len(head) :]


def _whole(root: Map, text: str, likes: list[Entry]) -> bool:
    """Whether each is a key of its section, and what comes behind it is one, or one of the document, or nothing."""
    tops = {marks[0] for marks in root.marks.values() if not marks[1]}
    columns = blocks(root)
    ends: Mapping[str, set[int]] = {one: tops | {marks[0] for marks in root[one].marks.values()} for one in columns}
    return all(
        root[one.section].marks.get(one.name, ())[:2] == (one.line, columns[one.section])
        and (one.end in ends[one.section] or one.start + len(one.text) == len(text))
        for one in likes
    )


def _weight(value: Value) -> int:
    inner = value.values() if isinstance(value, Map) else value if isinstance(value, Seq) else ()
    return 1 + sum(_weight(one) for one in inner)
