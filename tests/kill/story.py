"""What a cloud goes through: round and round, two or three changes a leg, so that nothing has to be set back."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.kill.spec import GROUPS, Box, Cloud


@dataclass(frozen=True, slots=True)
class Leg:
    """By the names they had before: `lost` are the instances whose root disks go, `given_up` those whose data disks."""

    goal: Cloud
    lost: frozenset[str] = frozenset()
    given_up: frozenset[str] = frozenset()


def _with(boxes: Mapping[str, Box | None], **changed: Box | None) -> dict[str, Box | None]:
    return {**boxes, **changed}


def _leg(boxes: Mapping[str, Box | None], *lost: str, given_up: str = "", loud: bool = False) -> Leg:
    """The last leg's names are not told again."""
    there = {name: box for name, box in boxes.items() if box}
    images = tuple(sorted({"one", *(box.image for box in there.values())}))
    goal = Cloud(boxes=there, images=images, groups=_LOUD if loud else GROUPS)
    return Leg(goal, frozenset(lost), frozenset(given_up.split()))


_LOUD = {**GROUPS, "web": "{ingress: [{protocol: tcp, ports: [80, 443], from: any}]}"}
_DISK = ("data 8",)
_OFF, _ONE, _TWO = Box(state="stopped"), Box(), Box(image="two")
_KEPT, _NEXT = Box(disks=_DISK), Box(image="two", disks=_DISK)

_HOME = {"keep": _ONE, "old": _KEPT, "off": _OFF, "rep": _KEPT}
_NEW = _with(_HOME, new=_TWO, off=_KEPT)
_WIDE = _with(
    _NEW, keep=Box(flavor="wide", groups=("web", "default"), role="web", data="changed"), rep=_NEXT, new=_NEXT
)
_TALL = Box(image="two", flavor="tall", disks=("data 16",))
_RENAMED = _with(_WIDE, old=None, fresh=Box(was="old", disks=_DISK), new=_TALL)
_BACK = _with(_RENAMED, keep=_ONE, off=_OFF, fresh=_KEPT)
_LESS = _with(_BACK, fresh=None, old=Box(was="fresh", disks=_DISK), new=None)

ONE_HOST = (
    _leg(_NEW),
    _leg(_WIDE, "rep", loud=True),
    _leg(_RENAMED, loud=True),
    _leg(_BACK, given_up="off"),
    _leg(_LESS, "new", given_up="new"),
    _leg(_HOME, "rep"),
)
"""An image that comes and goes, creates, deletes, updates with a restart, disks grown as it runs, replaces, renames,
starts and stops, documents; data disks that are made, attached, kept through a replace and a rename, and given up."""


def _on(host: str, **more: str | tuple[str, ...]) -> Box:
    return Box(host=host, **more)  # type: ignore[arg-type]


_FIRST = {
    "live": _on("h1", disks=_DISK),
    "off": _on("h1", state="stopped", disks=_DISK),
    "wide": _on("h2", disks=_DISK),
}
_LIVE = _with(_FIRST, live=_on("h2", disks=_DISK), new=_on("h3", role="web"))
_MORE = _with(_LIVE, off=_on("h2", state="stopped", disks=_DISK), wide=_on("h3", flavor="wide", disks=_DISK))
_THIRD = _with(_MORE, live=_on("h3", disks=_DISK), new=None)

THREE_HOSTS = (_leg(_LIVE), _leg(_MORE), _leg(_THIRD, "new"), _leg(_FIRST))
"""Moves of one that runs, of one that is off, of one that has to be stopped for it, each with a data disk, beside a
create and a delete."""
