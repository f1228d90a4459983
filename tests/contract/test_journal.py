"""What every driver keeps of applies."""

from cloudsync.model.document import Applied
from cloudsync.model.journal import Began, Did, End, Ended
from tests.contract.site import Site


def test_what_is_noted_is_told_with_the_hosts_own_generation(site: Site) -> None:
    """The real host's journal is as old as its agent: others have written into it."""
    key = f"{site.file}"
    at = "2999-01-02T03:04:05Z"
    applied = Applied(commit="ab" * 20, dirty=True, by="alice@desk", at=at)
    before = site.state.generation
    journal = site.driver.journal()
    journal.note(
        Began(id=key, cloud="contract", applied=applied, changes=(Did(action="create", address="instance.web"),))
    )
    (entry,) = journal.applies(1)
    assert (entry.began.id, entry.began.applied, entry.began.generation) == (key, applied, before)
    assert entry.ended is None
    assert site.state.applied == applied
    site.record()
    site.driver.journal().note(Ended(id=key, at=at, end=End.FAILED, failed=1, failures=("no room",)))
    (entry,) = site.driver.journal().applies(1)
    assert entry.ended is not None
    assert (entry.ended.end, entry.ended.failures, entry.ended.generation) == (End.FAILED, ("no room",), before + 1)
    assert site.state.applied != applied
