"""The recipes are what their forges take: by the public schemas of workflows and pipelines."""

import subprocess
import sys

import pytest

from tests.recipes import github, gitlab

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("options", "recipe"),
    [
        (["vendor.github-workflows"], github.RECIPE),
        (["vendor.gitlab-ci", "--data-transform", "gitlab-ci"], gitlab.RECIPE),
    ],
)
def test_a_recipe_is_valid(options: list[str], recipe: object) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *options, str(recipe)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
