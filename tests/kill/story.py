"""What a cloud goes through: round and round, two or three changes a leg, so that nothing has to be set back."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.kill.spec import GROUPS, Box, Cloud


@dataclass(frozen=True, slots=True)
class Leg:
    """`lost` are the instances whose disks go, by the names they had before."""

    goal: Cloud
    lost: frozenset[str] = frozenset()


def _with(boxes: Mapping[str, Box | None], **changed: Box | None) -> dict[str, Box | None]:
    return {**boxes, **changed}


def _leg(boxes: Mapping[str, Box | None], *lost: str, loud: bool = False) -> Leg:
    """The last leg's names are not told again."""
    there = {name: box for name, box in boxes.items() if box}
    images = tuple(sorted({"one", *(box.image for box in there.values())}))
    return Leg(Cloud(boxes=there, images=images, groups=_LOUD if loud else GROUPS), frozenset(lost))


_LOUD = {**GROUPS, "web": "{ingress: [{protocol: tcp, ports: [80, 443], from: any}]}"}
_OFF, _ONE, _TWO = Box(state="stopped"), Box(), Box(image="two")

_HOME = {"keep": _ONE, "old": _ONE, "off": _OFF, "rep": _ONE}
_NEW = _with(_HOME, new=_TWO, off=_ONE)
_WIDE = _with(_NEW, keep=Box(flavor="wide", groups=("web", "default"), role="web", data="changed"), rep=_TWO)
_RENAMED = _with(_WIDE, old=None, fresh=Box(was="old"), new=Box(image="two", flavor="tall"))
_BACK = _with(_RENAMED, keep=_ONE, off=_OFF, fresh=_ONE)
_LESS = _with(_BACK, fresh=None, old=Box(was="fresh"), new=None)

ONE_HOST = (
    _leg(_NEW),
    _leg(_WIDE, "rep", loud=True),
    _leg(_RENAMED, loud=True),
    _leg(_BACK),
    _leg(_LESS, "new"),
    _leg(_HOME, "rep"),
)
"""An image that comes and goes, creates, deletes, updates with a restart, a disk grown as it runs, replaces, renames,
starts and stops, and documents."""


def _on(host: str, **more: str) -> Box:
    return Box(host=host, **more)  # type: ignore[arg-type]


_FIRST = {"live": _on("h1"), "off": _on("h1", state="stopped"), "wide": _on("h2")}
_LIVE = _with(_FIRST, live=_on("h2"), new=_on("h3", role="web"))
_MORE = _with(_LIVE, off=_on("h2", state="stopped"), wide=_on("h3", flavor="wide"))
_THIRD = _with(_MORE, live=_on("h3"), new=None)

THREE_HOSTS = (_leg(_LIVE), _leg(_MORE), _leg(_THIRD, "new"), _leg(_FIRST))
"""Moves of one that runs, of one that is off, of one that has to be stopped for it, beside a create and a delete."""
