"""What was known of a guest's boot, and what it says now, into what is known then. Pure; called by service.py."""

from dataclasses import replace

from cloudsync.agent.metadata.reports import Event, Home
from cloudsync.agent.metadata.vendor import GROWS
from cloudsync.model.snapshot import Boot

STAGES = ("init-local", "init-network", "modules-config", "modules-final")
"""cloud-init's, in the order in which they run. phone_home is one of the last modules of the last."""

_BAD = ("WARN", "FAIL")
_MAX_FAILURES = 32


def fold(boot: Boot, report: Event | Home, at: str) -> Boot:
    """`boot` itself when nothing changed but the time. `at` is ISO 8601, UTC.

    A boot is finished when the last stage has ended; for a guest that sends no events, when it phones home. Both come
    from vendor data, and a person's user-data may switch either off.
    """
    if isinstance(report, Event) and report.name == GROWS:
        new = replace(boot, grows=report.result == "SUCCESS")
    elif isinstance(report, Home):
        new = replace(_home(boot, report), finished=boot.finished or not boot.stage)
    else:
        new = _step(boot, report)
    return boot if new == boot else replace(new, at=at)


def anew(boot: Boot, at: str) -> Boot:
    """Once the machine is started again. cloud-init sends events at every boot, but phones home at the first only: of
    a guest that has never sent an event nothing will be heard again, and what is known of it stays.
    """
    return boot if boot.finished and not boot.stage else _empty(boot, at)


def _empty(boot: Boot, at: str) -> Boot:
    """What it said once stays: cloud-init runs vendor scripts at the first boot only."""
    return Boot(uuid=boot.uuid, host_keys=boot.host_keys, other_keys=boot.other_keys, grows=boot.grows, at=at)


def _home(boot: Boot, home: Home) -> Boot:
    """The first host keys stay: cloud-init phones home once, on the first boot; later any user of the guest may."""
    if not boot.host_keys:
        return replace(boot, host_keys=home.host_keys)
    if home.host_keys in ((), boot.host_keys):
        return boot
    return replace(boot, other_keys=home.host_keys)


def _step(boot: Boot, event: Event) -> Boot:
    if _begins_anew(boot, event):
        boot = _empty(boot, boot.at)
    finished = boot.finished or (event.name == STAGES[-1] and event.result != "")
    return replace(boot, stage=event.name, finished=finished, failures=_failures(boot.failures, event))


def _begins_anew(boot: Boot, event: Event) -> bool:
    """A rebooted guest reports again, from an earlier stage; it phones home only once, so its host keys stay."""
    rank = _rank(event.name)
    return event.result == "" and rank >= 0 and (boot.finished or rank < _rank(boot.stage))


def _rank(name: str) -> int:
    """-1 for what is none of them."""
    stage = name.partition("/")[0]
    return STAGES.index(stage) if stage in STAGES else -1


def _failures(known: tuple[str, ...], event: Event) -> tuple[str, ...]:
    """By module (`scripts-user`). A stage fails with its modules, so it counts only when none of them did."""
    if event.result not in _BAD or len(known) >= _MAX_FAILURES:
        return known
    _, slash, module = event.name.rpartition("/")
    if not slash and known:
        return known
    name = module.removeprefix("config-") or event.name
    return known if name in known else (*known, name)
