"""Instances: names that fit and meet nobody else's, renames, sizes that the image can live with, metadata."""

import re
from collections import Counter
from collections.abc import Iterator

from cloudsync.spec.draft import Draft
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.members import members
from cloudsync.spec.units import show
from cloudsync.spec.words import count, quote

LONGEST_NAME = 63
_NUMBER = re.compile("[1-9][0-9]*")


def counted_names(draft: Draft) -> Iterator[Finding]:
    for base, instance in draft.instances.items():
        if not instance.count:
            continue
        longest = f"{base}-{instance.count}"
        if len(longest) > LONGEST_NAME:
            message = (
                f"{quote(longest)} would have {len(longest)} characters, and a host name has at most {LONGEST_NAME}"
            )
            yield Finding(("instances", base), message, "use a shorter name", at_key=True)


def names_of_counted(draft: Draft) -> Iterator[Finding]:
    """A count may be raised later, so that every number behind the name is taken."""
    for name in draft.names["instances"]:
        base, dash, number = name.rpartition("-")
        counted = draft.instances.get(base)
        if dash and _NUMBER.fullmatch(number) and counted is not None and counted.count is not None:
            message = f"{quote(name)} is kept for {quote(base)}, which has a count"
            yield Finding(("instances", name), message, "give it another name", at_key=True)


def renames(draft: Draft) -> Iterator[Finding]:
    owners = {name: base for base, instance in draft.instances.items() for name in members(base, instance)}
    uses = Counter(instance.was for instance in draft.instances.values() if instance.was)
    for base, instance in draft.instances.items():
        was = instance.was
        if not was:
            continue
        trail: Trail = ("instances", base, "was")
        if was == base:
            yield Finding(trail, f"{quote(base)} has this name already", "remove the line")
        elif was in owners or was in draft.names["instances"]:
            message = f"{quote(was)} is still in the spec, so {quote(base)} cannot take it over"
            yield Finding(trail, message, f"remove instance {was}, or this line")
        elif uses[was] > 1:
            yield Finding(trail, f"{count(uses[was], 'instance')} claim to have been {quote(was)}", "keep one of them")


def fits(draft: Draft) -> Iterator[Finding]:
    for base, instance in draft.instances.items():
        image, flavor = draft.images.get(instance.image), draft.flavors.get(instance.flavor)
        if image is None or flavor is None:
            continue
        trail: Trail = ("instances", base, "flavor")
        for what, has, needs in (
            ("disk", flavor.disk, image.min_disk),
            ("memory", flavor.memory, image.min_memory),
        ):
            if has < needs:
                message = (
                    f"flavor {quote(instance.flavor)} has {show(has)} of {what}, "
                    f"and image {quote(instance.image)} needs {show(needs)}"
                )
                yield Finding(trail, message, "use a larger flavor")


def flavors(draft: Draft) -> Iterator[Finding]:
    for name, flavor in draft.flavors.items():
        for key, size in (("memory", flavor.memory), ("disk", flavor.disk)):
            if size < 1 << 20 or size % (1 << 20):
                trail: Trail = ("flavors", name, key)
                yield Finding(trail, f"{show(size)} is not a whole number of MiB", "for example 512MiB")


def metadata(draft: Draft) -> Iterator[Finding]:
    for base, instance in draft.instances.items():
        if "dsmode" in instance.metadata:
            message = 'the metadata key "dsmode" switches cloud-init off or changes when it runs'
            yield Finding(("instances", base, "metadata", "dsmode"), message, "use another key", at_key=True)


def updates(draft: Draft) -> Iterator[Finding]:
    for base, instance in draft.instances.items():
        if instance.update is not None and instance.count is None:
            hint = "give it a count, or write `update` into its placement group"
            yield Finding(("instances", base, "update"), "update means nothing for a single instance", hint)


CHECKS = (counted_names, names_of_counted, renames, fits, flavors, metadata, updates)
