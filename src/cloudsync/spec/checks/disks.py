"""Extra disks of instances: names that tell them apart, sizes that a disk can have."""

from collections.abc import Iterator

from cloudsync.spec.draft import Draft
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.units import show
from cloudsync.spec.words import quote

ROOT = "root"
"""What plans call the disk that an image is on."""


def names(draft: Draft) -> Iterator[Finding]:
    for base, instance in draft.instances.items():
        seen: set[str] = set()
        for index, disk in enumerate(instance.disks):
            trail: Trail = ("instances", base, "disks", index, "name")
            if disk.name == ROOT:
                yield Finding(trail, f"{quote(ROOT)} is the disk that the image is on", "give it another name")
            elif disk.name in seen:
                yield Finding(trail, f"{quote(base)} has a disk {quote(disk.name)} already", "give it another name")
            seen.add(disk.name)


def sizes(draft: Draft) -> Iterator[Finding]:
    for base, instance in draft.instances.items():
        for index, disk in enumerate(instance.disks):
            if disk.size < 1 << 20 or disk.size % (1 << 20):
                trail: Trail = ("instances", base, "disks", index, "size")
                yield Finding(trail, f"{show(disk.size)} is not a whole number of MiB", "for example 10GiB")


CHECKS = (names, sizes)
