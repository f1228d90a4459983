"""The schemas of what commands print, each read and checked once: that costs more than to hold a document to it."""

import json
from functools import cache

from jsonschema import Draft202012Validator

from tests.house import tree


@cache
def schema(name: str) -> Draft202012Validator:
    """That of `schemas/NAME.schema.json`: no word that it does not have, or one of several kinds."""
    found = json.loads(tree.text(tree.TOP / "schemas" / f"{name}.schema.json"))
    Draft202012Validator.check_schema(found)
    assert found.get("additionalProperties") is False or "oneOf" in found
    return Draft202012Validator(found)


def broken(found: object, name: str) -> list[str]:
    """What of a document is not as its schema promises."""
    return [f"{error.json_path}: {error.message}" for error in schema(name).iter_errors(found)]
