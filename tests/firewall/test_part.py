"""The part's memory of the kernel: never trusted further than the kernel's own count of commits."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest

from cloudsync.agent.firewall import Firewall, genid, nft
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.ruleset import Ruleset
from cloudsync.model.delta import difference, patched
from cloudsync.model.document import HostDocument
from tests.firewall.documents import random_document, sample
from tests.lab.namespace import Namespace

pytestmark = pytest.mark.real


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    made = Namespace.new("part")
    yield made
    made.remove()


def chain(count: int) -> Iterator[HostDocument]:
    """As an agent gets them: what two have in common is the same object."""
    last = random_document(0)
    yield last
    for seed in range(1, count):
        last = patched(last, difference(last, replace(random_document(seed), generation=seed + 1)))
        yield last


def in_kernel(namespace: Namespace, document: HostDocument) -> bool:
    return namespace.enter(nft.read) == compile_document(document, 8775)


def test_one_document_after_the_other_is_in_the_kernel_as_a_fresh_load_would_be(namespace: Namespace) -> None:
    firewall = Firewall()
    for document in chain(40):
        namespace.enter(lambda document=document: firewall.apply(document))  # type: ignore[misc]
        assert in_kernel(namespace, document)


def test_a_change_is_one_commit_and_the_same_again_is_none(namespace: Namespace) -> None:
    """Both tables in one transaction."""
    firewall = Firewall()
    for old, new in pairwise(chain(10)):
        namespace.enter(lambda old=old: firewall.apply(old))  # type: ignore[misc]
        before = namespace.enter(genid.generation)
        namespace.enter(lambda new=new: firewall.apply(new))  # type: ignore[misc]
        after = namespace.enter(genid.generation)
        assert before is not None
        assert after == before + (compile_document(old, 8775) != compile_document(new, 8775))


def test_the_kernel_is_asked_again_only_when_somebody_committed(namespace: Namespace) -> None:
    document, firewall = sample(), Firewall()
    namespace.enter(lambda: firewall.apply(document))
    namespace.run("nft", "flush", "chain", "inet", "cloudsync", "output")
    found = namespace.enter(lambda: firewall.drift(document))
    assert len(found) == 1
    assert namespace.enter(lambda: firewall.drift(document)) is found
    assert namespace.enter(lambda: firewall.drift(sample())) == found, "another document is judged anew"
    namespace.run("nft", "delete", "table", "arp", "cloudsync")
    assert len(namespace.enter(lambda: firewall.drift(document))) == 2
    namespace.enter(lambda: firewall.apply(document))
    assert namespace.enter(lambda: firewall.drift(document)) == ()
    assert in_kernel(namespace, document)


def test_others_prepare_while_nft_works_and_not_when_it_has_nothing_to_do(namespace: Namespace) -> None:
    """In the firewall's own network namespace."""
    told: list[tuple[HostDocument, int | None]] = []
    firewall = Firewall(others=(lambda document: told.append((document, genid.generation())),))
    small = sample()
    crowd = {name: tuple(f"10.21.{at >> 8}.{at & 255}" for at in range(8000)) for name in small.members}
    for wanted in (small, replace(small, members=crowd)):
        before = namespace.enter(genid.generation)
        namespace.enter(partial(firewall.apply, wanted))
        assert before is not None
        assert [(document, at in (before, before + 1)) for document, at in told] == [(wanted, True)]
        assert in_kernel(namespace, wanted)
        told.clear()
        namespace.enter(partial(firewall.apply, wanted))
        assert told == []


class Raced(Firewall):
    """Once, somebody commits between our look and our own commit."""

    races = 1

    def _commit(self, document: HostDocument, found: Ruleset, wanted: Ruleset) -> None:
        if self.races:
            self.races = 0
            nft.commit("add rule inet cloudsync output counter\n")
        Firewall._commit(self, document, found, wanted)


def test_somebody_who_commits_in_between_is_seen_by_the_next_apply(namespace: Namespace) -> None:
    old, new = list(chain(2))
    namespace.enter(lambda: Firewall().apply(old))
    raced = Raced()
    namespace.enter(lambda: raced.apply(new))
    assert not in_kernel(namespace, new)
    namespace.enter(lambda: raced.apply(new))
    assert in_kernel(namespace, new)


def test_somebody_who_commits_at_the_same_time_is_not_taken_for_us(namespace: Namespace) -> None:
    """Commits of his may come before, between or after each of ours; when he is done, one apply puts it right."""
    firewall, stop = Firewall(), threading.Event()

    def meddle() -> None:
        while not stop.is_set():
            namespace.run("nft", "add", "rule", "inet", "cloudsync", "output", "counter", check=False)
            namespace.run("nft", "add", "set", "arp", "cloudsync", "spies", "{ type ipv4_addr; }", check=False)

    documents = list(chain(25))
    namespace.enter(lambda: firewall.apply(documents[0]))
    meddler = threading.Thread(target=meddle)
    meddler.start()
    try:
        for document in documents:
            namespace.enter(lambda document=document: firewall.apply(document))  # type: ignore[misc]
    finally:
        stop.set()
        meddler.join()
    namespace.enter(lambda: firewall.drift(documents[-1]))
    namespace.enter(lambda: firewall.apply(documents[-1]))
    assert in_kernel(namespace, documents[-1])
