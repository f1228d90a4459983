"""The JSON Schema: fresh, valid, takes the whole example, and refuses what the reader refuses by shape."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cloudsync.spec.document import parse, read
from cloudsync.spec.schema import schema, text

ROOT = Path(__file__).parents[2]
EXAMPLE = Path(__file__).parent / "example.yaml"


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def errors(root: Any) -> list[str]:
    return [error.json_path for error in validator().iter_errors(root)]


def test_the_kept_one_is_fresh() -> None:
    kept = (ROOT / "schemas/cloud.schema.json").read_text(encoding="utf-8")
    assert kept == text(), "run: python -m cloudsync.spec.schema > schemas/cloud.schema.json"


def test_the_module_prints_it() -> None:
    done = subprocess.run([sys.executable, "-m", "cloudsync.spec.schema"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == schema()


def test_it_is_a_schema_and_takes_the_example() -> None:
    Draft202012Validator.check_schema(schema())
    assert errors(read(EXAMPLE).root) == []


@pytest.mark.parametrize(
    "line",
    [
        "hots: {}",
        "hosts: {kvm-1: {}}",
        "hosts: {kvm-1: {uri: 'sim:', zoen: a}}",
        "hosts: {'a b': {uri: 'sim:'}}",
        "instances: {Web: {image: a, flavor: b}}",
        "instances: {web: {image: a}}",
        "instances: {web: {image: a, flavor: b, count: -1}}",
        "instances: {web: {image: a, flavor: b, count: null}}",
        "instances: {web: {image: a, flavor: b, user_data: {path: x}}}",
        "instances: {web: {image: a, flavor: b, metadata: {a/b: c}}}",
        "flavors: {small: {vcpus: 1, memory: 512MB, disk: 4GiB}}",
        "security_groups: {web: {ingress: [{protocol: tpc, from: any}]}}",
        "security_groups: {web: {ingress: [{ports: [0], from: any}]}}",
        "security_groups: {web: {ingress: [{to: any}]}}",
        "images: {a: {source: x, sha256: abc}}",
        "version: 2",
    ],
)
def test_refused(line: str) -> None:
    head = "version: 1\ncloud: demo\n" if not line.startswith("version") else "cloud: demo\n"
    assert errors(parse("cloud.yaml", f"{head}{line}\n".encode()).root)


@pytest.mark.parametrize(
    "line",
    ["hosts:", "instances: {}", "security_groups: {web: {}}", "flavors: {a: {vcpus: 1, memory: 1GiB, disk: 1.5GiB}}"],
)
def test_taken(line: str) -> None:
    assert errors(parse("cloud.yaml", f"version: 1\ncloud: demo\n{line}\n".encode()).root) == []


def test_editors_get_help() -> None:
    found = schema()["$defs"]["Instance"]["properties"]
    assert found["was"]["description"]
    assert found["count"] == {
        "minimum": 0,
        "maximum": 10000,
        "type": "integer",
        "description": "Makes NAME-1, NAME-2, and so on.",
    }
