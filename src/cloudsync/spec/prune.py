"""Composed values with parts taken out or put in; what is left still knows where it was written. Pure; for `draft`."""

from collections.abc import Mapping, Sequence

from cloudsync.spec.compose import Map, Seq, Value
from cloudsync.spec.finding import Trail


def without(value: Value, trails: Sequence[Trail]) -> Value:
    """A copy without what stands at `trails`. One value that stands for a list of one goes when its item does."""
    gone = {trail[0] for trail in trails if len(trail) == 1 or _is_whole(value, trail[0])}
    deeper: dict[str | int, list[Trail]] = {}
    for trail in trails:
        if len(trail) > 1 and trail[0] not in gone:
            deeper.setdefault(trail[0], []).append(trail[1:])
    if isinstance(value, Map):
        kept = Map()
        for key, inner in value.items():
            if key not in gone:
                kept[key] = without(inner, deeper[key]) if key in deeper else inner
                kept.marks[key] = value.marks[key]
        return kept
    if isinstance(value, Seq):
        left = Seq()
        for index, inner in enumerate(value):
            if index not in gone:
                left.append(without(inner, deeper[index]) if index in deeper else inner)
                left.marks.append(value.marks[index])
        return left
    return value


def again(value: Value, names: Mapping[Trail, str]) -> Value:
    """A copy in which what stands at these trails stands beside itself under another key, too."""
    deeper: dict[str | int, dict[Trail, str]] = {}
    for trail, key in names.items():
        if len(trail) > 1:
            deeper.setdefault(trail[0], {})[trail[1:]] = key
    if isinstance(value, Map):
        copy = replaced_all(value, {str(key): again(value[str(key)], inner) for key, inner in deeper.items()})
        copy.marks = dict(value.marks)
        for old, new in ((str(trail[0]), new) for trail, new in names.items() if len(trail) == 1):
            copy[new], copy.marks[new] = copy[old], copy.marks[old]
        return copy
    listed = Seq()
    listed.extend(again(inner, deeper[index]) if index in deeper else inner for index, inner in enumerate(value))
    listed.marks = value.marks
    return listed


def _is_whole(value: Value, step: str | int) -> bool:
    return isinstance(value, Map) and isinstance(step, str) and not isinstance(value[step], Map | Seq)


def replaced(tree: Map, key: str, value: Value) -> Map:
    """A copy with another value at `key`."""
    return replaced_all(tree, {key: value})


def replaced_all(tree: Map, values: Mapping[str, Value]) -> Map:
    """A copy with other values at some of its keys."""
    copy = Map()
    copy.update(tree)
    copy.update({key: value for key, value in values.items() if key in tree})
    copy.marks = tree.marks
    return copy
