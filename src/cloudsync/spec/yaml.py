"""The ruamel door: YAML text to libyaml's events, and one entry put into a text. Nothing else imports ruamel.

`compose` reads through it, `edit` writes through it.
"""

import io
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from cloudsync.model.dataclass import dataclass

__all__ = [
    "AliasEvent",
    "BrokenYaml",
    "DocumentStartEvent",
    "MappingEndEvent",
    "MappingStartEvent",
    "ScalarEvent",
    "SequenceEndEvent",
    "SequenceStartEvent",
    "events",
    "with_entry",
]


@dataclass()
class BrokenYaml(Exception):
    """libyaml's own words, with the line and column, from 0, of the problem and of what it belongs to."""

    problem: str
    at: tuple[int, int]
    context_at: tuple[int, int] | None = None


def events(text: str) -> Iterator[Any]:
    """libyaml's events, one by one; BrokenYaml where the text is not YAML."""
    try:
        parser = CParser(text)
        while (event := parser.get_event()) is not None:
            yield event
    except MarkedYAMLError as error:
        mark, context = error.problem_mark or error.context_mark, error.context_mark
        at = (mark.line, mark.column) if mark is not None else (0, 0)
        context_at = (context.line, context.column) if context is not None else None
        raise BrokenYaml(str(error.problem or "not YAML"), at, context_at) from None
    except YAMLError as error:
        raise BrokenYaml(str(error), (0, 0)) from None


def with_entry(text: str, section: str, key: str, value: str) -> str | None:
    """`text` with `key: value` in the mapping `section`, as ruamel writes it back: comments, order and quotes kept,
    spaces perhaps not. None where ruamel cannot."""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 1 << 20
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    try:
        tree: Any = yaml.load(text)
        if tree.get(section) is None:
            tree[section] = {}
        tree[section][key] = value
        yaml.dump(tree, out)
    except (YAMLError, ValueError, RecursionError):
        return None
    return out.getvalue()
