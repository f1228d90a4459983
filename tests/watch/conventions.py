"""The conventions that Prometheus has for names of metrics, and where a text breaks them."""

import re

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

_UNITS = ("_seconds", "_bytes", "_ratio", "_info", "_total", "_created")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FOREIGN = ("process_", "python_")


Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    """By name and labels, of a text that breaks no convention."""
    assert wrong(text) == []
    families = text_string_to_metric_families(text)
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def read(registry: CollectorRegistry) -> Samples:
    return samples(generate_latest(registry).decode())


def wrong(text: str) -> list[str]:
    """Each with its reason: https://prometheus.io/docs/practices/naming/."""
    return [f"{family.name}: {why}" for family in text_string_to_metric_families(text) for why in _why(family)]


def _why(family: object) -> list[str]:
    name, kind, samples = str(vars(family)["name"]), vars(family)["type"], vars(family)["samples"]
    if name.startswith(_FOREIGN):
        return []
    found = []
    if not _NAME.fullmatch(name) or not name.startswith("cloudsync_"):
        found.append("no name of ours")
    if kind == "counter" and not all(one.name.endswith(("_total", "_created")) for one in samples):
        found.append("a counter ends in _total")
    if kind != "counter" and name.endswith("_total"):
        found.append("only a counter ends in _total")
    if kind == "histogram" and not name.endswith(("_seconds", "_bytes")):
        found.append("a histogram has a unit")
    if re.search(r"_(ms|millis\w*|minutes|hours|kb|mb|percent|timestamp)$", name):
        found.append("not in base units")
    if not vars(family)["documentation"]:
        found.append("no help")
    for sample in samples:
        if not all(_NAME.fullmatch(label) for label in sample.labels):
            found.append("a label's name")
    return found
