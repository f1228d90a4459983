"""It is held against the standard library's, which it stands in for."""

import dataclasses
import operator
import pickle
from dataclasses import field, fields, replace
from typing import Any

import pytest

from cloudsync.model.dataclass import dataclass as ours


@ours(frozen=True, slots=True, order=True)
class Pair:
    first: int
    second: str = "b"
    secret: str = field(default="", repr=False)
    aside: int = field(default=0, compare=False)


@ours(frozen=True, slots=True, kw_only=True)
class Longer(Pair):
    third: tuple[Pair, ...] = ()


@ours(frozen=True, slots=True)
class One:
    only: float


@ours(frozen=True, slots=True)
class Nothing:
    pass


@ours(slots=True)
class Loose:
    items: list[int] = field(default_factory=list)


@ours(frozen=True, slots=True, eq=False)
class Itself:
    first: int = 1


@ours(frozen=True, slots=True)
class Own:
    first: int

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 7

    def __repr__(self) -> str:
        return "mine"


OPTIONS: dict[type, dict[str, Any]] = {
    Pair: {"frozen": True, "slots": True, "order": True},
    Longer: {"frozen": True, "slots": True, "kw_only": True},
    One: {"frozen": True, "slots": True},
    Nothing: {"frozen": True, "slots": True},
    Loose: {"slots": True},
    Own: {"frozen": True, "slots": True},
}
ARGUMENTS: dict[type, list[dict[str, Any]]] = {
    Pair: [{"first": at, "second": word, "aside": at, "secret": "x" * at} for at in (0, 1, 2) for word in "ab"],
    Longer: [{"first": 1}, {"first": 1, "third": (Pair(1),)}, {"first": 1, "third": (Pair(2),)}],
    One: [{"only": 1.0}, {"only": 2.0}],
    Nothing: [{}],
    Loose: [{}, {"items": [1]}],
    Own: [{"first": 1}, {"first": 2}],
}


def twin(kind: type) -> type:
    """The same class as the standard library makes it."""
    names = {
        name: one for name, one in vars(kind).items() if name in ("__eq__", "__hash__", "__repr__") and kind is Own
    }
    columns = [(one.name, one.type, _again(one)) for one in fields(kind)]
    return dataclasses.make_dataclass(kind.__name__, columns, namespace=names, **OPTIONS[kind])


def _again(one: "dataclasses.Field[Any]") -> Any:
    more: dict[str, Any] = {"default_factory": one.default_factory, "default": one.default}
    return field(repr=one.repr, compare=one.compare, kw_only=bool(one.kw_only), **more)


@pytest.mark.parametrize("kind", OPTIONS)
def test_it_does_what_the_standard_librarys_does(kind: type) -> None:
    twins = twin(kind)
    mine = [kind(**one) for one in ARGUMENTS[kind]]
    others = [twins(**one) for one in ARGUMENTS[kind]]
    assert [repr(one) for one in mine] == [repr(one) for one in others]
    ways = [operator.eq, operator.ne, *((operator.lt, operator.le, operator.gt, operator.ge) if kind is Pair else ())]
    for way in ways:
        assert [way(a, b) for a in mine for b in mine] == [way(a, b) for a in others for b in others]
    assert (kind.__hash__ is None) == (twins.__hash__ is None)
    if kind.__hash__ is not None:
        assert [a == b for a in mine for b in mine if hash(a) != hash(b)].count(True) == 0
        assert [hash(a) == hash(b) for a in mine for b in mine] == [hash(a) == hash(b) for a in others for b in others]
    assert [pickle.loads(pickle.dumps(one)) for one in mine] == mine  # noqa: S301
    assert [replace(one) for one in mine] == mine
    assert kind.__match_args__ == twins.__match_args__  # type: ignore[attr-defined]
    assert [repr(one) for one in map(dataclasses.asdict, mine)] == [
        repr(one) for one in map(dataclasses.asdict, others)
    ]


def test_it_is_not_what_another_class_is() -> None:
    assert Pair(1) != Longer(1)
    with pytest.raises(TypeError):
        assert Pair(1) < Longer(1)


def test_without_equality_each_is_itself() -> None:
    assert Itself() != Itself()
    assert len({Itself(), Itself()}) == 2


def test_what_has_no_docstring_shows_its_name() -> None:
    assert Pair.__doc__ == "Pair"
