"""What later parts work out while nft is busy: in time, over when nft is, and never in the way of anybody."""

from pathlib import Path
from threading import Event

import pytest

from cloudsync.agent.ahead import ahead
from cloudsync.agent.dnsmasq import Dnsmasq
from cloudsync.agent.metadata.service import MetadataPart
from cloudsync.model.document import HostDocument
from tests.effort import PATIENCE
from tests.firewall.documents import sample


def test_it_is_done_while_the_block_runs_and_over_when_the_block_is() -> None:
    began, goes_on, done = Event(), Event(), []

    def slow(document: HostDocument) -> None:
        began.set()
        assert goes_on.wait(PATIENCE)
        done.append(document)

    with ahead((slow, done.append), sample()):
        assert began.wait(PATIENCE)
        assert done == []
        goes_on.set()
    assert done == [sample(), sample()]


def test_what_cannot_be_prepared_is_nobodys_failure() -> None:
    done: list[HostDocument] = []

    def wrong(document: HostDocument) -> None:
        raise KeyError(document.host)

    with ahead((wrong, done.append), sample()):
        pass
    assert done == [sample()]


def test_it_is_over_also_when_nft_refuses() -> None:
    done: list[HostDocument] = []
    with pytest.raises(ZeroDivisionError), ahead((done.append,), sample()):
        1 / 0  # noqa: B018
    assert done == [sample()]


def test_to_prepare_changes_nothing(tmp_path: Path) -> None:
    run, state = tmp_path / "run", tmp_path / "state"
    state.mkdir()
    metadata = MetadataPart(0, state, lambda _: None)
    for prepare in (Dnsmasq(run).prepare, metadata.prepare):
        prepare(sample())
    assert [*tmp_path.rglob("*")] == [state]
    assert metadata.pid is None
