"""A document's values as models, section by section, with what could not be filled in left out and named. `checks` and
`expand` read it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from cloudsync.model.dataclass import dataclass
from cloudsync.spec import models, names
from cloudsync.spec.compose import Map
from cloudsync.spec.document import Document
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.meant import is_there, respelt, unclear
from cloudsync.spec.prune import replaced, replaced_all, without
from cloudsync.spec.wording import findings, trail_of, unknown_key
from cloudsync.spec.words import quote

SECTIONS: Mapping[str, tuple[Any, str]] = {
    "hosts": (models.Host, names.NAME),
    "images": (models.Image, names.NAME),
    "networks": (models.Network, names.NAME),
    "flavors": (models.Flavor, names.NAME),
    "keypairs": (models.PublicKey, names.KEYPAIR),
    "security_groups": (models.Group, names.NAME),
    "placement_groups": (models.PlacementGroup, names.NAME),
    "instances": (models.Instance, names.LABEL),
}
SINGULAR = {
    "hosts": "host",
    "images": "image",
    "networks": "network",
    "flavors": "flavor",
    "keypairs": "key pair",
    "security_groups": "security group",
    "placement_groups": "placement group",
    "instances": "instance",
}
# Stand-ins for required values that are missing or wrong, so that the rest of the thing is still checked.
_HEADER: Mapping[str, object] = {"version": 1, "cloud": "unnamed"}
_INSTANCE: Mapping[str, object] = {"image": "unnamed", "flavor": "unnamed"}
MOST_INSTANCES = 100_000
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Draft:
    """`names` has every key of each section, also of things that are not among the models because they are broken.

    An instance whose image or flavor is missing has an empty text there. `tree` is the document's root without the
    parts that are wrong. Of sections that are `unsure` nobody knows what there is.
    """

    header: models.Header
    hosts: Mapping[str, models.Host] = field(default_factory=dict)
    images: Mapping[str, models.Image] = field(default_factory=dict)
    networks: Mapping[str, models.Network] = field(default_factory=dict)
    flavors: Mapping[str, models.Flavor] = field(default_factory=dict)
    keypairs: Mapping[str, str | models.PublicKeyFile] = field(default_factory=dict)
    security_groups: Mapping[str, models.Group] = field(default_factory=dict)
    placement_groups: Mapping[str, models.PlacementGroup] = field(default_factory=dict)
    instances: Mapping[str, models.Instance] = field(default_factory=dict)
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tree: Map = field(default_factory=Map)
    unsure: frozenset[str] = frozenset()


@cache
def _adapter(section: str) -> TypeAdapter[Any]:
    return TypeAdapter(SECTIONS[section][0] if section else models.Header)


def draft(document: Document, former: Draft | None = None) -> tuple[Draft, list[Finding]]:
    """What the document says, and what is wrong with its shape. Trails of the findings lead through the document;
    those of findings about the draft lead through its `tree`. Of a `former` one without problems the models are taken
    that were filled from the same values."""
    root: Map = document.root
    found = list(_top_level(root))
    header, tree = _header(root, document, found)
    sections: dict[str, dict[str, Any]] = {}
    written: dict[str, frozenset[str]] = {}
    for section in SECTIONS:
        items = root.get(section)
        if not isinstance(items, Map):
            items = Map()
        written[section] = frozenset(items)
        known = _known(section, items, former) if former else {}
        sections[section], salvaged = _section(section, items, document, found, known)
        if salvaged:
            tree = replaced(tree, section, replaced_all(items, salvaged))
    return Draft(header=header, **sections, names=written, tree=tree, unsure=_unsure(root)), found


def _known(section: str, items: Map, former: Draft) -> dict[str, Any]:
    before, filled = former.tree.get(section) or {}, getattr(former, section)
    return {name: filled[name] for name, item in items.items() if name in filled and before.get(name) is item}


def _unsure(root: Map) -> frozenset[str]:
    lost = unclear(root)
    return frozenset(one for one in SECTIONS if (lost if one not in root else not isinstance(root[one], Map | None)))


def _top_level(root: Map) -> Iterator[Finding]:
    for key, value in root.items():
        if key not in models.Spec.model_fields:
            yield Finding((key,), *unknown_key((key,)), at_key=True)
        elif key in SECTIONS and value is not None and not isinstance(value, Map):
            example = f"write the name of each {SINGULAR[key]} below it, then a colon"
            yield Finding((key,), f'"{key}" must be a mapping of names', example)
        elif key in models.Header.model_fields and value is None:
            yield Finding((key,), f'"{key}" has no value', "write a value, or remove the line", at_key=True)


def _header(root: Map, document: Document, found: list[Finding]) -> tuple[models.Header, Map]:
    """The header, and the root without what is wrong in it."""
    known = without(root, [(key,) for key in root if key not in models.Header.model_fields])
    header, rest, wrong = _fill(_adapter(""), known, (), document)
    found.extend(wrong)
    return header or models.Header(version=1, cloud="unnamed"), replaced_all(root, rest or {})


def _section(
    section: str, items: Map, document: Document, found: list[Finding], known: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Models by name, and those of the items that had to lose a part, as they are without it."""
    adapter = _adapter(section)
    pattern = re.compile(SECTIONS[section][1])
    filled: dict[str, Any] = {}
    salvaged: dict[str, Any] = {}
    same: dict[int, Any] = {}
    for name, item in items.items():
        there = known.get(name) or same.get(id(item))
        if there is not None and pattern.fullmatch(name):
            filled[name] = there
            continue
        if not pattern.fullmatch(name):
            found.append(_bad_name(section, name))
        try:
            filled[name] = same[id(item)] = adapter.validate_python(item)
        except ValidationError:
            model, rest, wrong = _fill(adapter, item, (section, name), document)
            found.extend(wrong)
            if model is not None:
                filled[name], salvaged[name] = model, rest
    return filled, salvaged


def _bad_name(section: str, name: str) -> Finding:
    pattern = SECTIONS[section][1]
    hint = names.better(name, pattern, f"{SINGULAR[section].replace(' ', '-')}-1")
    message = f"{quote(name)} cannot name {'an' if section in ('images', 'instances') else 'a'} {SINGULAR[section]}"
    return Finding((section, name), f"{message}: a name is {names.WORDS[pattern]}", hint, at_key=True)


def _fill(adapter: TypeAdapter[Any], item: Any, above: Trail, document: Document) -> tuple[Any, Any, list[Finding]]:
    """The model, what it was made of, and what is wrong. Parts that are wrong are taken out, in a few rounds, since
    what is left may lack something then; (None, None, …) when nothing is left of it."""
    stand_in = _INSTANCE if above[:1] == ("instances",) else {} if above else _HEADER
    found: list[Finding] = []
    rest = item
    for turn in range(_ROUNDS):
        given = {**stand_in, **rest} if turn and isinstance(rest, Map) else rest
        try:
            model = adapter.validate_python(given)
        except ValidationError as error:
            rest, details = _respelt(rest, error.errors(include_url=False), above)
            found = found if turn else findings(details, above, document)
            spoilt = [_spoilt(detail) for detail in details]
            if () in spoilt or not isinstance(rest, Map):
                break
            rest = without(rest, spoilt)
        else:
            blanks = {key: "" for key in _INSTANCE if above and key in stand_in and key not in rest}
            if above[:1] == ("images",) and "sha256" not in rest and "sha256" in item:
                blanks = _pinned(model)
            return (model.model_copy(update=blanks) if blanks else model), rest, found
    return None, None, found


def _pinned(image: models.Image) -> dict[str, str]:
    """A stand-in for a digest that is wrong: it is not missing. The file of this machine would be held against it."""
    return {} if image.source.lower().startswith("file:") else {"sha256": "0" * 64}


def _respelt(item: Any, details: list[ErrorDetails], above: Trail) -> tuple[Any, list[ErrorDetails]]:
    """The item with misspelt keys put right, and what is wrong with it apart from what was missing for that alone."""
    strangers = [trail_of(detail, ()) for detail in details if detail["type"] == "extra_forbidden"]
    item = respelt(item, strangers, above)
    return item, [one for one in details if one["type"] != "missing" or not is_there(item, trail_of(one, ()))]


def _spoilt(detail: ErrorDetails) -> Trail:
    """The smallest part that has to go so that the rest still means what it says: what lacks a value goes whole, unless
    it is the thing itself, and so does a rule whose protocol or type is not known."""
    trail = trail_of(detail, ())
    if trail[:1] == ("expect",):
        return trail[:2]
    whole = detail["type"] == "missing" or trail[-1:] in (("protocol",), ("type",))
    return trail[:-1] if whole and len(trail) > 1 else trail


def too_many(draft: Draft) -> list[Finding]:
    """So many instances that nothing else about them should be worked out."""
    total = sum(1 if instance.count is None else instance.count for instance in draft.instances.values())
    if total <= MOST_INSTANCES:
        return []
    message = f"{total:,} instances are more than {MOST_INSTANCES:,}"
    return [Finding(("instances",), message, "split the cloud", at_key=True)]
