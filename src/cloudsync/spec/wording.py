"""What pydantic found wrong, said the way a person would. Called by `draft` for each named thing that has problems."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from cloudsync.model.dataclass import dataclass
from cloudsync.spec import known, names
from cloudsync.spec.document import Document
from cloudsync.spec.fields import WRITTEN
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.suggest import did_you_mean, nearest
from cloudsync.spec.words import PRIVATE, count, listing, quote

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,62}")
_MARKS = ("[key]", "<text>", "<mapping>", "<list>")
_TRUTH = {
    **dict.fromkeys(("true", "yes", "on", "y"), "true"),
    **dict.fromkeys(("false", "no", "off", "n"), "false"),
}


def findings(details: Iterable[ErrorDetails], above: Trail, document: Document) -> list[Finding]:
    """One for each error; those about a key without a value were found when the YAML was read."""
    return [_finding(detail, above, document) for detail in details if detail["input"] is not None or _is_key(detail)]


def trail_of(detail: ErrorDetails, above: Trail) -> Trail:
    """Where it is: pydantic's path without the marks that it adds for choices and keys."""
    return (*above, *(step for step in detail["loc"] if step not in _MARKS))


def _is_key(detail: ErrorDetails) -> bool:
    return bool(detail["loc"]) and detail["loc"][-1] == "[key]"


@dataclass(frozen=True, slots=True)
class _Case:
    """One error and what its words may be made of."""

    detail: ErrorDetails
    trail: Trail
    document: Document

    @property
    def value(self) -> Any:
        return self.detail["input"]

    @property
    def context(self) -> Mapping[str, Any]:
        return self.detail.get("ctx", {})

    @property
    def raw(self) -> str:
        """What was typed, for what is not text; "…" where that is not known."""
        return self.document.raw(self.trail) or "…"

    @property
    def name(self) -> str:
        words = [step for step in self.trail if isinstance(step, str)]
        item = "an item of " if self.trail and isinstance(self.trail[-1], int) else ""
        return item + quote(words[-1]) if words else "this"

    @property
    def kind(self) -> str:
        """What was written instead."""
        if isinstance(self.value, bool):
            return f"{self.raw} is true or false"
        if isinstance(self.value, (int, float)):
            return f"{self.raw} is a number"
        if isinstance(self.value, str):
            return f"{quote(self.value)} is text"
        return "this is a list" if isinstance(self.value, list) else "this is a mapping"


_Words = tuple[str, str]
_Maker = Callable[[_Case], _Words]


def _finding(detail: ErrorDetails, above: Trail, document: Document) -> Finding:
    case = _Case(detail, trail_of(detail, above), document)
    kind = detail["type"]
    if kind == "missing":
        key = str(case.trail[-1])
        return Finding(case.trail[:-1], f"{quote(key)} is missing", EXAMPLES.get(key, f"add  {key}: …"), at_key=True)
    message, hint = _MAKERS.get(kind, _fallback)(case)
    text = isinstance(case.value, str) and "\n" in case.value
    at_key = kind == "extra_forbidden" or _is_key(detail)
    return Finding(case.trail, message, hint, at_key, secret=text)


def _unknown(case: _Case) -> _Words:
    return unknown_key(case.trail)


def unknown_key(trail: Trail) -> _Words:
    """Message and hint."""
    key, possible = str(trail[-1]), known.keys(trail[:-1])
    return f"unknown key {quote(key)}", did_you_mean(key, possible, "remove the line", most=len(possible))


def _text(case: _Case) -> _Words:
    shown = "" if "metadata" in case.trail else f': "{case.raw}"'
    hint = f"put it in quotes{shown}" if isinstance(case.value, (bool, int, float)) else "write one text here"
    return f"{case.name} must be text, but {case.kind}", hint


def _number(what: str) -> _Maker:
    def make(case: _Case) -> _Words:
        if "whole" in what and isinstance(case.value, float):
            return _fraction(case)
        fitting = r"-?[0-9]{1,15}" if "whole" in what else r"-?[0-9]{1,15}(\.[0-9]+)?"
        quoted = isinstance(case.value, str) and re.fullmatch(fitting, case.value)
        return f"{case.name} must be {what}, but {case.kind}", "remove the quotes" if quoted else _limits(case)

    return make


def _fraction(case: _Case) -> _Words:
    low = math.floor(case.value) if math.isfinite(case.value) else 0
    near = f"write {low} or {low + 1}" if 0 < low < 1_000 else _limits(case)
    return f"{case.name} must be a whole number, not {case.raw}", near


def _finite(case: _Case) -> _Words:
    return f"{case.name} must be a finite number, not {case.raw}", _limits(case)


def _limits(case: _Case) -> str:
    return f"write {known.limits(case.trail) or 'a number'}"


def _truth(case: _Case) -> _Words:
    word = _TRUTH.get(case.value.lower(), "") if isinstance(case.value, str) else ""
    hint = f"write {word}, without quotes" if word else "write true or false"
    return f"{case.name} must be true or false, but {case.kind}", hint


def _list(case: _Case) -> _Words:
    possible = sorted(known.keys((*case.trail, 0)))
    if possible:
        hint = f"start every item with -; its keys are {listing(possible, 'and')}"
    elif isinstance(case.value, str) and _WORD.fullmatch(case.value) and not PRIVATE.search(case.value):
        hint = f"write [{case.value}]"
    else:
        hint = "start every item with -, or write [] for none"
    return f"{case.name} must be a list, but {case.kind}", hint


def _mapping(case: _Case) -> _Words:
    if "user_data" in case.trail:
        return '"user_data" must be text or {file: PATH}', "write  user_data: |  and indent the text below it"
    if case.trail[:1] == ("keypairs",):
        return f"{case.name} must be a public key or {{public_key_file: PATH}}", "paste the line of the .pub file"
    if case.trail[:1] == ("instances",) and case.trail[2:3] == ("networks",):
        return f"{case.name} must be a mapping, but {case.kind}", "write {name: NETWORK}"
    possible = sorted(known.keys(case.trail))
    hint = f"its keys are {listing(possible, 'and')}" if possible else "write KEY: VALUE below it"
    return f"{case.name} must be a mapping, but {case.kind}", hint


def _choice(case: _Case) -> _Words:
    shown = quote(case.value) if isinstance(case.value, str) else case.raw
    if case.trail == ("version",):
        return f"version {shown} of the language is not known to this cloudsync", "write  version: 1"
    options = str(case.context.get("expected", "")).replace(" or ", ", ").replace("'", "").split(", ")
    near = nearest(case.value, options) if isinstance(case.value, str) else None
    if near:
        return f"{case.name} must be {listing(options)}, not {shown}", f"did you mean {quote(near)}?"
    wrong = f"must be one word, but {case.kind}" if isinstance(case.value, (list, dict)) else f"cannot be {shown}"
    return f"{case.name} {wrong}", f"write {listing(options)}"


def _pattern(case: _Case) -> _Words:
    words = names.WORDS.get(str(case.context.get("pattern")), "written differently")
    what = "a key here" if _is_key(case.detail) else case.name
    hint = names.better(case.value, str(case.context.get("pattern")))
    return f"{what} must be {words}; {quote(case.value)} is not", hint


def _limit(words: str) -> _Maker:
    def make(case: _Case) -> _Words:
        bound = next((value for key, value in case.context.items() if key in ("ge", "gt", "le", "lt")), "")
        number = int(bound) if isinstance(bound, float) and bound.is_integer() else bound
        return f"{case.name} must be {words} {number}, not {case.raw}", _limits(case)

    return make


def _too_long(case: _Case) -> _Words:
    return f"{case.name} has more than {count(case.context['max_length'], 'character')}", "shorten it"


def _empty(case: _Case) -> _Words:
    return f"{case.name} is empty", "write a name"


def _too_many(case: _Case) -> _Words:
    most = case.context["max_length"]
    hint = _FEWER.get(str(case.trail[-1]), f"keep {most} of them")
    return f"{case.name} has {len(case.value)} items, more than {most}", hint


def _too_few(case: _Case) -> _Words:
    return f"an empty list of {case.trail[-1]} allows nothing", "write them, or remove the line for every one"


def _written(case: _Case) -> _Words:
    return str(case.context["message"]), str(case.context["hint"])


def _fallback(case: _Case) -> _Words:
    text = case.detail["msg"]
    return f"{case.name}: {text[:1].lower()}{text[1:]}", "what may stand here is in what `cloudsync schema` prints"


_FEWER = {"disks": "use fewer and larger ones", "metadata": "put the rest into user_data"}
EXAMPLES: Mapping[str, str] = {
    "image": "add  image: NAME, one of those under images",
    "flavor": "add  flavor: NAME, one of those under flavors",
    "uri": "add  uri: qemu:///system, or 'sim:' for a simulated host",
    "version": "add  version: 1",
    "cloud": "add  cloud: NAME",
    "subnet": "add  subnet: 10.20.0.0/16",
    "source": "add  source: https://…, or file:PATH",
    "from": "add  from: any, a CIDR, or group.NAME",
    "to": "add  to: any, a CIDR, or group.NAME",
    "memory": "add  memory: 512MiB",
    "disk": "add  disk: 4GiB",
    "vcpus": "add  vcpus: 1",
    "policy": "add  policy: anti-affinity",
    "name": "add  name: NAME",
    "size": "add  size: 10GiB",
    "file": "add  file: PATH, relative to the spec",
    "public_key_file": "add  public_key_file: PATH, of a .pub file",
}
_MAKERS: Mapping[str, _Maker] = {
    WRITTEN: _written,
    "extra_forbidden": _unknown,
    "string_type": _text,
    "int_type": _number("a whole number"),
    "int_from_float": _fraction,
    "int_parsing_size": _choice,
    "float_type": _number("a number"),
    "finite_number": _finite,
    "bool_type": _truth,
    "list_type": _list,
    "dict_type": _mapping,
    "model_type": _mapping,
    "literal_error": _choice,
    "string_pattern_mismatch": _pattern,
    "greater_than": _limit("more than"),
    "greater_than_equal": _limit("at least"),
    "less_than": _limit("less than"),
    "less_than_equal": _limit("at most"),
    "string_too_long": _too_long,
    "string_too_short": _empty,
    "too_long": _too_many,
    "too_short": _too_few,
}
