"""What guests report, event by event, into what is known of their boot."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from cloudsync.agent.metadata.fold import STAGES, anew, fold
from cloudsync.agent.metadata.reports import Event, Home
from cloudsync.agent.metadata.vendor import GROWS
from cloudsync.model.snapshot import Boot
from tests.metadata import world

FIRST_BOOT = (
    Event("init-network/config-bootcmd"),
    Event("init-network/config-bootcmd", "FAIL"),
    Event("init-network", "FAIL"),
    Event("modules-config"),
    Event("modules-config/config-locale", "WARN"),
    Event("modules-config", "SUCCESS"),
    Event("modules-final"),
    Event("modules-final/config-scripts-user", "SUCCESS"),
)
KEYS = (world.ED25519,)
OTHERS = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOther",)
END = Event("modules-final", "SUCCESS")


def told(reports: Iterable[Event | Home], boot: Boot | None = None) -> Boot:
    boot = boot or Boot(uuid=world.UUID_A)
    for report in reports:
        boot = fold(boot, report, "2026-08-01T00:00:00+00:00")
    return boot


def test_a_boot_under_way_shows_where_it_is_and_what_failed() -> None:
    boot = told(FIRST_BOOT)
    assert boot.stage == "modules-final/config-scripts-user"
    assert boot.failures == ("bootcmd", "locale")
    assert not boot.finished


def test_phoning_home_is_not_the_end_of_a_guest_that_reports() -> None:
    boot = told((*FIRST_BOOT, Home(KEYS)))
    assert boot.host_keys == KEYS
    assert not boot.finished


def test_the_end_of_the_last_stage_is_the_end() -> None:
    boot = told((*FIRST_BOOT, Home(KEYS), END))
    assert boot.finished
    assert boot.host_keys == KEYS
    assert told((*FIRST_BOOT, END)).finished


def test_phoning_home_is_the_end_of_a_guest_that_only_does_that() -> None:
    assert told((Home(KEYS),)).finished


def test_a_reboot_begins_anew_and_keeps_the_host_keys() -> None:
    first = told((*FIRST_BOOT, Home(KEYS), END))
    again = told((Event("init-network"), Event("init-network/config-bootcmd", "SUCCESS")), first)
    assert (again.finished, again.failures, again.host_keys) == (False, (), KEYS)
    assert told((Event("modules-final"), END), again).finished


def test_the_first_host_keys_stay_and_others_are_kept_apart() -> None:
    first = told((*FIRST_BOOT, Home(KEYS), END))
    assert told((Home(KEYS), Home(())), first) is first
    forged = told((Home(OTHERS),), first)
    assert (forged.host_keys, forged.other_keys) == (KEYS, OTHERS)
    for later in (Home(KEYS), Home(()), Event("init-network")):
        again = told((later,), forged)
        assert (again.host_keys, again.other_keys) == (KEYS, OTHERS)


def test_a_guest_reset_half_way_begins_anew() -> None:
    assert told((*FIRST_BOOT, Event("init-local"))).failures == ()


def test_a_machine_that_is_started_again_has_not_booted_yet_and_keeps_its_host_keys() -> None:
    first = told((*FIRST_BOOT, Home(KEYS), END))
    started = anew(first, "2026-09-01T00:00:00+00:00")
    assert started == Boot(uuid=first.uuid, host_keys=KEYS, at="2026-09-01T00:00:00+00:00")
    again = told((Event("init-network"), Event("modules-final"), END), started)
    assert (again.finished, again.host_keys) == (True, KEYS)


def test_a_machine_is_known_from_its_first_start_before_its_guest_says_anything() -> None:
    assert anew(told(()), "2026-09-01T00:00:00+00:00").at == "2026-09-01T00:00:00+00:00"


def test_nothing_more_is_awaited_of_a_guest_that_only_phones_home_once() -> None:
    first = told((Home(KEYS),))
    assert anew(first, "2026-09-01T00:00:00+00:00") is first


def test_that_it_takes_in_what_comes_is_said_once_and_kept() -> None:
    first = told((*FIRST_BOOT, Event(GROWS, "SUCCESS"), END))
    assert (first.grows, first.stage, first.finished) == (True, "modules-final", True)
    assert not told((*FIRST_BOOT, END)).grows
    assert not told((Event(GROWS, "FAIL"),)).grows
    assert told((Event("init-network"),), anew(first, "2026-09-01T00:00:00+00:00")).grows


def test_nothing_new_is_the_same_value() -> None:
    boot = told((*FIRST_BOOT, END))
    assert fold(boot, END, "2026-09-01T00:00:00+00:00") is boot


def test_a_stage_counts_as_failed_only_when_no_module_of_it_did() -> None:
    assert told((Event("init-network", "FAIL"),)).failures == ("init-network",)
    assert told((Event("init-network/x", "FAIL"), Event("init-network", "FAIL"))).failures == ("x",)


names = st.sampled_from([*STAGES, *(f"{stage}/config-x" for stage in STAGES), "strange", "strange/thing"])
events = st.builds(Event, names, st.sampled_from(["", "SUCCESS", "WARN", "FAIL"]))
homes = st.builds(Home, st.sampled_from([(), KEYS, OTHERS]))


@given(st.lists(st.one_of(events, homes), max_size=60))
def test_whatever_comes_host_keys_are_never_lost_and_failures_are_few(reports: list[Event | Home]) -> None:
    boot = told(reports)
    told_keys = [report.host_keys for report in reports if isinstance(report, Home) and report.host_keys]
    assert boot.host_keys == (told_keys[0] if told_keys else ())
    assert bool(boot.other_keys) == (len(set(told_keys)) > 1)
    assert len(boot.failures) <= 32


def test_a_guest_cannot_make_the_list_of_failures_long() -> None:
    assert len(told(Event(f"modules-final/config-{index}", "FAIL") for index in range(500)).failures) == 32
