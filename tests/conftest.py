"""Tests marked `real` change the machine they run on: they go to one worker, and only a private machine takes them."""

import os
from collections.abc import Generator
from typing import Protocol, runtime_checkable

import pytest
from hypothesis import settings

from tests.effort import tries

# How long an example takes says how busy the machine is. Every run tries the same ones.
settings.register_profile("house", deadline=None, derandomize=True, database=None, max_examples=tries(100))
settings.load_profile("house")

PRIVATE = "CLOUDSYNC_PRIVATE_MACHINE"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `--dist loadgroup` one worker has the machine to itself while the others run the rest."""
    for item in items:
        if item.get_closest_marker("real"):
            item.add_marker(pytest.mark.xdist_group("machine"))


def pytest_collection_finish(session: pytest.Session) -> None:
    real = [item for item in session.items if item.get_closest_marker("real")]
    if real and not session.config.option.collectonly and PRIVATE not in os.environ:
        raise pytest.UsageError(
            f"{len(real)} tests need a machine that they may change: `make test` makes a private one, "
            'or `python tests/lab/private.py --uplink pytest …`; the others run with -m "not real"'
        )


@runtime_checkable
class Logged(Protocol):
    """A fixture of which a failed test shows what it said."""

    def logs(self) -> str: ...


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for name, value in item.funcargs.items():
            if isinstance(value, Logged):
                report.sections.append((f"what {name} said", value.logs()))
    return report
