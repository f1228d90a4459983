"""What libvirt has of a machine of ours, beside what we wrote last -> what somebody else left there, in words. Pure;
called by survey.py."""

from collections.abc import Iterator

from cloudsync.hosts.libvirt.domain_xml import Ours
from cloudsync.hosts.libvirt.outline import PLAIN, ROOT, SIZES, Outline, outline, sizes
from cloudsync.model.snapshot import Traces


def traces(running: Ours | None, kept: Ours) -> Traces:
    """`kept` is what libvirt starts it from; `running` what it runs with, None when it is off.

    What was written before there were notes of it is passed over.
    """
    if kept.written is None:
        return Traces()
    wrote, now = _without(kept.written, SIZES), outline(kept.element)
    live = outline(running.element) if running else now
    disk = _elsewhere(wrote, live) or _elsewhere(wrote, now)
    told = frozenset({ROOT}) if disk else frozenset()
    definition = tuple(_differences(_without(wrote, told), _without(now, told)))
    if running is None:
        return Traces(definition=definition, disk=disk)
    resized = tuple(_sizes(kept.written, sizes(kept.machine), sizes(running.machine)))
    return Traces(
        definition=(*definition, *resized),
        vcpus=kept.machine.vcpus if any(one.startswith("vcpus: ") for one in resized) else 0,
        memory=kept.machine.memory if any(one.startswith("memory: ") for one in resized) else 0,
        running=tuple(_runs(running.written, _without(wrote, told), _without(live, told))),
        disk=disk,
    )


def _runs(began: Outline | None, wrote: Outline, live: Outline) -> Iterator[str]:
    """Parts that are neither as they were when it was started nor as they were written since: `began` says the first,
    None of what an older version started."""
    if began is None:
        return
    for name in sorted((wrote.keys() | live.keys()) - PLAIN):
        if live.get(name) not in (began.get(name), wrote.get(name)):
            yield from _differences(_only(wrote, name), _only(live, name))


def _only(one: Outline, name: str) -> Outline:
    return {name: one[name]} if name in one else {}


def _without(one: Outline, names: frozenset[str]) -> Outline:
    return {name: words for name, words in one.items() if name not in names}


def _differences(wrote: Outline, now: Outline) -> Iterator[str]:
    for name in sorted(wrote.keys() | now.keys()):
        if name not in wrote:
            yield f"{name} is new ({now[name]})"
        elif name not in now:
            yield f"{name} is gone"
        elif now[name] != wrote[name]:
            yield f"{name}: {_instead(wrote[name], now[name])}"


def _instead(wrote: str, now: str) -> str:
    """Only the words that differ."""
    before, after = wrote.split(), now.split()
    came = " ".join(word for word in after if word not in before)
    went = " ".join(word for word in before if word not in after)
    if came and went:
        return f"{came} instead of {went}"
    return f"{came} is new" if came else f"{went} is gone" if went else "in another order"


def _sizes(wrote: Outline, now: Outline, live: Outline) -> Iterator[str]:
    """What it would have when it is started again, where that is neither what we wrote nor what it runs with."""
    for name in sorted(SIZES):
        if name in wrote and now[name] not in (wrote[name], live[name]):
            yield f"{name}: {now[name]} instead of {wrote[name]}"


def _elsewhere(wrote: Outline, now: Outline) -> str:
    """The file that it has in place of its root disk, empty when it has that one, or none at all."""
    before, after = _source(wrote.get(ROOT, "")), _source(now.get(ROOT, ""))
    return after if after != before and ROOT in now else ""


def _source(words: str) -> str:
    return next((word.partition("=")[2] for word in words.split() if word.startswith("source=")), "")
