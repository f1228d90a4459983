"""README, Makefile, lock files and the example say what is so."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from cloudsync.spec.load import load
from demo.spec import write
from tests.house import readme, tree

HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@pytest.mark.parametrize("name", readme.BLOCKS)
def test_readme_shows_what_the_program_says(name: str) -> None:
    """`python -m tests.house.readme` writes it anew."""
    assert readme.written(name) == readme.BLOCKS[name]()


def test_make_targets_of_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", tree.text(tree.TOP / "Makefile"), re.MULTILINE))
    named = {
        target
        for document in ("README.md", "ARCHITECTURE.md", ".ci/run")
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", tree.text(tree.TOP / document), re.MULTILINE)
    }
    assert named, "the documents name no target at all"
    assert named - targets == set()


def test_files_that_the_architecture_names_exist() -> None:
    named = set(re.findall(r"`([a-z_]+/[a-z_/]+\.py)`", tree.text(tree.TOP / "ARCHITECTURE.md")))
    assert named
    there = {str(path.relative_to(tree.TOP)) for path in tree.python("src")}
    assert {name for name in named if not {name, f"src/cloudsync/{name}"} & there} == set()


def test_the_example_is_a_cloud_once_image_and_key_are_put_in(tmp_path: Path) -> None:
    image = tmp_path / "debian.qcow2"
    image.write_bytes(bytes(4096))
    write(tmp_path / "cloud.yaml", image, readme.KEY)
    cloud = load(tmp_path / "cloud.yaml")
    assert set(cloud.instances) == {"web", "db"}
    assert cloud.keypairs["demo"].public_key == readme.KEY
    assert cloud.images["debian-12"].source == str(image)


def test_shell_scripts_parse() -> None:
    scripts = [path for path in tree.files() if tree.text(path).startswith(("#!/bin/sh", "#!/usr/bin/env bash"))]
    assert scripts
    for path in scripts:
        subprocess.run(["bash", "-n", path], check=True)


def test_every_dependency_is_locked_with_hashes() -> None:
    project = tomllib.loads(tree.text(tree.TOP / "pyproject.toml"))
    for lock, wanted in (
        ("requirements.lock", project["project"]["dependencies"] + project["build-system"]["requires"]),
        ("requirements-dev.lock", project["dependency-groups"]["dev"]),
    ):
        entries = re.findall(r"^([a-z0-9-]+)==\S+ \\\n((?:    --hash.*\n)+)", tree.text(tree.TOP / lock), re.MULTILINE)
        locked = {name for name, hashes in entries if HASH.search(hashes)}
        names = {re.split(r"[<>=!~\[]", one)[0].replace("_", "-").replace(".", "-").lower() for one in wanted}
        assert names - locked == set(), lock


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_no_index_and_no_path(lock: str) -> None:
    assert re.search(r"://|--(extra-)?index|--find-links|\bfile:/| @ ", tree.text(tree.TOP / lock)) is None
