"""Random clouds of small blank machines on three hosts: each from the one before it, so that most things stay."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from tests.kill.spec import GROUPS, NETWORKS, Box, Cloud

BASES = ("app", "db", "web", "box")
INNER = "{subnet: 10.30.0.0/24}"
MOST = 6
"""Machines."""


class Worlds:
    """An endless row of them, the same for the same seed."""

    def __init__(self, seed: int, hosts: tuple[str, ...]) -> None:
        self._random = Random(seed)  # noqa: S311
        self._hosts = hosts

    def after(self, before: Cloud) -> Cloud:
        """Another one."""
        while True:
            found = self._next(before)
            if 0 < len(found.names) <= MOST and found != before:
                return found

    def _next(self, before: Cloud) -> Cloud:
        networks = self._networks()
        boxes = {name: replace(box, was="") for name, box in before.boxes.items()}
        for name in self._random.sample(BASES, self._random.choice((1, 2, 2, 3))):
            boxes = self._change(name, boxes)
        if "inner" not in networks:
            boxes = {name: replace(box, networks=()) if "inner" in box.networks else box for name, box in boxes.items()}
        boxes = {
            name: replace(box, address="") if not box.networks or box.count else box for name, box in boxes.items()
        }
        images = {box.image for box in boxes.values()} | set(self._random.sample(("one", "two"), 1))
        groups = {**GROUPS, "web": self._random.choice((GROUPS["web"], "{}"))}
        return Cloud(boxes=boxes, images=tuple(sorted(images)), groups=groups, networks=networks)

    def _networks(self) -> dict[str, str]:
        gateway = self._random.choice(("", "", "", "", ", gateway: 10.20.0.254"))
        found = {"default": NETWORKS["default"].replace("}", f"{gateway}}}")}
        return found if self._random.random() < 0.2 else {**found, "inner": INNER}

    def _change(self, name: str, boxes: Mapping[str, Box]) -> dict[str, Box]:
        """One made, removed, renamed, or another in one thing. No blank guest lets go of a disk while it runs."""
        found, there = dict(boxes), boxes.get(name)
        if there is None:
            found[name] = self._box()
            return found
        what = self._random.choice(("gone", "renamed", "count", *PARTS, *PARTS))
        free = [other for other in BASES if other not in boxes]
        if what == "gone":
            del found[name]
        elif what == "renamed":
            if free and there.count is None:
                del found[name]
                found[self._random.choice(free)] = replace(there, was=name)
        elif what == "count":
            found[name] = replace(there, count=self._random.choice((None, 1, 2, 3)))
        elif what != "disks" or there.state == "stopped" or not there.disks:
            found[name] = replace(there, **{what: getattr(self._box(), what)})
        return found

    def _box(self) -> Box:
        any_of = self._random.choice
        return Box(
            image=any_of(("one", "two")),
            flavor=any_of(("tiny", "wide", "many", "tall")),
            state=any_of(("running", "running", "running", "stopped")),
            host=any_of(("", *self._hosts)),
            groups=any_of(((), ("web",), ("default", "web"), ("shut",))),
            networks=any_of(((), ("default",), ("inner",), ("default", "inner"), ("inner", "inner"))),
            address="",
            role=any_of(("", "web", "db")),
            data=any_of(("", "/bin/sh", "/bin/bash")),
            disks=any_of(((), ("data 8",), ("data 16",), ("log 8", "data 8"))),
        )


PARTS = ("image", "flavor", "state", "host", "groups", "networks", "role", "data", "disks")
