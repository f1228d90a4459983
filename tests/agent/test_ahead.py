"""What later parts work out while nft is busy, which is never in the way of anybody."""

from pathlib import Path
from threading import get_native_id

import pytest

from cloudsync.agent.ahead import ahead
from cloudsync.agent.dnsmasq import Dnsmasq
from cloudsync.agent.firewall import nft
from cloudsync.agent.metadata.service import MetadataPart
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from tests.firewall.documents import sample
from tests.lab.eventually import eventually
from tests.lab.namespace import Namespace


def test_what_cannot_be_prepared_is_nobodys_failure() -> None:
    done: list[HostDocument] = []

    def wrong(document: HostDocument) -> None:
        raise KeyError(document.host)

    ahead((wrong, done.append), sample())
    assert done == [sample()]


@pytest.mark.real
def test_it_is_done_while_nft_works() -> None:
    seen: list[bool] = []
    host = Namespace.new("ahead")

    def works() -> bool:
        children = Path(f"/proc/self/task/{get_native_id()}/children").read_text().split()
        return "nft" in [Path(f"/proc/{child}/comm").read_text().strip() for child in children]

    def look() -> None:
        # A process gets its program's name a moment after its parent may go on.
        eventually(works, True)
        seen.append(True)

    try:
        host.enter(lambda: nft.commit("add table inet somebody\n", look))
        with pytest.raises(HostError):
            host.enter(lambda: nft.commit("add nonsense\n", look))
    finally:
        host.remove()
    assert seen == [True, True]


def test_to_prepare_changes_nothing(tmp_path: Path) -> None:
    run, state = tmp_path / "run", tmp_path / "state"
    state.mkdir()
    metadata = MetadataPart(0, state, lambda _: None)
    for prepare in (Dnsmasq(run).prepare, metadata.prepare):
        prepare(sample())
    assert [*tmp_path.rglob("*")] == [state]
    assert metadata.pid is None
