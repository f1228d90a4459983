"""An instance of another size: a flavor of the spec that has exactly it, or a new one. Pure; `plan --absorb` asks."""

from collections.abc import Mapping
from typing import Any

from cloudsync.spec.change import Edit, Put
from cloudsync.spec.compose import Map
from cloudsync.spec.document import Document
from cloudsync.spec.units import SizeError, parse, show


def flavored(document: Document, instance: str, vcpus: int, memory: int) -> tuple[Edit, ...] | None:
    """Changes after which `instance`, a key of the spec, has that many vcpus and bytes of memory, and all else that its
    flavor gives it; None where that cannot be said."""
    flavors = document.root.get("flavors")
    entry = (document.root.get("instances") or {}).get(instance)
    old = str(entry.get("flavor")) if isinstance(entry, Map) else ""
    if not isinstance(flavors, Map) or old not in flavors or memory % 1024:
        return None
    wanted = {**flavors[old], "vcpus": vcpus, "memory": show(memory)}
    point = ("instances", instance)
    for name, there in flavors.items():
        if _meant(there) == _meant(wanted):
            return (Put(point, "flavor", name),)
    name = _free(flavors, f"{old}-{vcpus}x{show(memory)}")
    return Put(("flavors",), name, wanted), Put(point, "flavor", name)


def _meant(flavor: Mapping[str, Any]) -> dict[str, Any]:
    """With sizes as numbers: they can be written in several ways."""
    return {key: _number(value) for key, value in flavor.items()}


def _number(value: Any) -> Any:
    try:
        return parse(value) if isinstance(value, str) else value
    except SizeError:
        return value


def _free(flavors: Mapping[str, Any], name: str) -> str:
    """A name that nothing has."""
    number = 2
    found = name = name[:60]
    while found in flavors:
        found, number = f"{name[:57]}-{number}", number + 1
    return found
