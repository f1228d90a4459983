"""Rows as aligned columns."""

from collections.abc import Iterable, Sequence

from cloudsync.spec.words import printable


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Left-aligned, two spaces between columns, no trailing spaces, and safe for a terminal."""
    lines = [tuple(head), *(tuple(printable(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
