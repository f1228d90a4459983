"""What is wrong with hosts beside each other is told, and hinders nothing; what is applied has a later time."""

from dataclasses import replace

import pytest

from cloudsync.model.snapshot import Snapshot
from cloudsync.model.version import upgrade
from cloudsync.pipeline import decide as decided
from tests.laws.fleet import decide
from tests.planner.build import cloud, instance
from tests.planner.test_changes import settled

WHOLE = cloud(instance("web"), hosts=("kvm-1", "kvm-2", "kvm-3"))


def seen(**fields: object) -> Snapshot:
    """Of hosts where everything is as it should be, but for what `fields` say of kvm-1 and kvm-2."""
    snapshot = settled(WHOLE).observe(WHOLE)
    changed = {name: replace(snapshot.hosts[name], **fields) for name in ("kvm-1", "kvm-2")}  # type: ignore[arg-type]
    return Snapshot(hosts={**snapshot.hosts, **changed})


def test_two_hosts_with_one_uuid() -> None:
    plan = decide(WHOLE, seen(uuid="4c4c4544-0000-1000-8000-000000000000")).plan
    (warning,) = plan.warnings
    assert warning.startswith("host.kvm-1 and host.kvm-2 have one libvirt UUID, 4c4c4544-")
    assert "host_uuid" in warning
    assert plan.empty


@pytest.mark.parametrize(("skew", "words"), [(61.2, "61 s ahead of"), (-7.0, "7 s behind")])
def test_a_clock_that_is_wrong(skew: float, words: str) -> None:
    warnings = decide(WHOLE, seen(skew=skew)).plan.warnings
    assert [f"host.{name}: its clock is {words} this machine's" in "".join(warnings) for name in ("kvm-1", "kvm-2")]
    assert len(warnings) == 2


def test_a_clock_that_is_right_enough_is_not_worth_a_word() -> None:
    assert decide(WHOLE, seen(skew=4.9)).plan.warnings == ()


def test_what_is_applied_is_later_than_what_was() -> None:
    """A controller whose clock is behind must not be taken for the one that came first."""
    snapshot = settled(WHOLE).observe(WHOLE)
    documents = {name: host.document for name, host in snapshot.hosts.items()}
    future = {
        name: replace(
            snapshot.hosts[name], document=replace(one, applied=replace(one.applied, at="2199-12-31T23:59:59Z"))
        )
        for name, one in documents.items()
        if one
    }
    more = replace(WHOLE, instances={**WHOLE.instances, "db": instance("db")})
    plan = decided(more, Snapshot(hosts=future), "ann@desk")
    times = {step.document.applied.at for step in plan.steps if step.kind == "put-document"}
    assert times == {"2200-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ("0.1.0", "0.1.7", ""),
        ("0.1.0", "0.2.0", ""),
        ("0.3.0.dev4", "0.2.0rc1", ""),
        ("0.1.0", "0.3.0", "upgrade this cloudsync to 0.3.0"),
        ("0.3.0", "0.1.0", "upgrade cloudsync there to 0.3.0"),
        ("1.0.0", "0.9.0", "upgrade cloudsync there to 1.0.0"),
        ("0.9.0", "1.0.0", "upgrade this cloudsync to 1.0.0"),
        ("0.1.0", "unknown", ""),
    ],
)
def test_versions_apart(ours: str, theirs: str, words: str) -> None:
    assert upgrade(ours, theirs).endswith(words)
    assert bool(upgrade(ours, theirs)) is bool(words)
