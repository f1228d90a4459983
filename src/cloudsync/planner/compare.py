"""Two mappings -> the keys in which they differ (the deepdiff door). Only called on pairs that are known to differ."""

from collections.abc import Mapping

from cloudsync.model.plan import Field


def fields(before: Mapping[str, object], after: Mapping[str, object], prefix: str = "") -> tuple[Field, ...]:
    """One Field for each top-level key that was added, removed or changed, in key order."""
    from deepdiff import DeepDiff

    # Without the threshold, mappings that share few keys are one change of the whole.
    tree = DeepDiff(dict(before), dict(after), view="tree", threshold_to_diff_deeper=0)
    keys = sorted({str(item.path(output_format="list")[0]) for items in tree.values() for item in items})
    return tuple(Field(path=prefix + key, before=_text(before.get(key)), after=_text(after.get(key))) for key in keys)


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
