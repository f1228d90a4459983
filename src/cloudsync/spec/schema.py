"""The JSON Schema (draft 2020-12) of the spec, for editors and for `cloudsync schema`. Generated from `models`.

`python -m cloudsync.spec.schema` prints it as it is kept in schemas/cloud.schema.json.
"""

import json
import sys
from typing import Any

_NAMED = ("properties", "patternProperties", "$defs")

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """As plain JSON values."""
    from cloudsync.spec.models import Spec

    generated = Spec.model_json_schema(by_alias=True, mode="validation")
    generated["title"] = "cloudsync spec"
    generated["description"] = "What should exist: hosts, images, networks, keys, firewall rules and instances."
    return {"$schema": DRAFT, **_tidy(generated)}


def _tidy(node: Any, named: bool = False, sections: bool = False) -> Any:
    """Without titles that only repeat a key, and without null, which only a whole section may be.

    `named`: the keys of this object are names, not schema words. `sections`: they are the spec's own top-level keys.
    """
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = node if named else _keyword(node)
    if named and not sections:
        kept = {key: _not_null(value) for key, value in kept.items()}
    return {key: _tidy(value, key in _NAMED and not named, _is_root(node)) for key, value in kept.items()}


def _is_root(node: dict[str, Any]) -> bool:
    return "$defs" in node


def _keyword(node: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in node.items() if key != "title" or "properties" in node}
    if kept.get("default", ...) is None:
        del kept["default"]
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    return kept


def _not_null(value: dict[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in value.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) != 1 or len(value["anyOf"]) == 1:
        return value
    return {**choices[0], **{key: own for key, own in value.items() if key != "anyOf"}}


def text() -> str:
    """As it is kept in the repository."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
