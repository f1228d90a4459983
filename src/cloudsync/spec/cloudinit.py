"""User-data that cloud-init would pass over: it says #cloud-config, and is no YAML or no mapping. Pure, and never says
any of its words. `validate` asks."""

from cloudsync.spec.compose import disguise
from cloudsync.spec.scalar import plain
from cloudsync.spec.yaml import (
    AliasEvent,
    BrokenYaml,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    events,
)

# https://cloudinit.readthedocs.io/en/latest/explanation/format.html: #cloud-config-archive is a list.
_MARK, _OTHERS = "#cloud-config", "#cloud-config-"


def unread(data: bytes) -> tuple[str, str] | None:
    """What is wrong and what to do, where cloud-init would log that and do nothing of what it says."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    start = text.lstrip()[: len(_OTHERS)].lower()
    if not start.startswith(_MARK) or start == _OTHERS:
        return None
    other = disguise(text)
    return _wrong(text) and (_wrong(other) if other is not None else _wrong(text))


def _wrong(text: str) -> tuple[str, str] | None:
    root: object = None
    anchors: set[str] = set()
    try:
        for event in events(text):
            if isinstance(event, DocumentStartEvent) and root is not None:
                return "is more than one YAML document", "remove the --- between them"
            if isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent):
                root = root or event
                anchors.add(event.anchor or "")
            if isinstance(event, AliasEvent) and event.anchor not in anchors:
                return _broken(event.start_mark.line)
    except BrokenYaml as error:
        return _broken(error.at[0])
    nothing = root is None or (isinstance(root, ScalarEvent) and not root.style and plain(root.value) is None)
    if nothing or isinstance(root, MappingStartEvent):
        return None
    return "is not a mapping of keys", "write KEY: VALUE below its first line"


def _broken(line: int) -> tuple[str, str]:
    where = f" from its line {line + 1} on" if line else ""
    return f"is no YAML{where}", 'check the indentation there, and put a text that holds ": " in quotes'
