"""The standard library's dataclass, made in a quarter of the time.

That one compiles functions for each class to compare, to hash, to show and to refuse assignment, and a start of the
program makes some two hundred classes. Here `__init__` alone is compiled, and the rest is shared. That a field of a
frozen one is not assigned is for the type checker to see: nothing keeps it at run time.
"""

from operator import attrgetter, ge, gt, le, lt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
else:
    import dataclasses

    def dataclass(*, frozen: bool = False, eq: bool = True, order: bool = False, **more: bool):
        """What dataclasses.dataclass takes, but for what nobody here asks of it."""

        def make(cls: type) -> type:
            # What has no docstring is given its signature as one, which takes as long as all the rest.
            cls.__doc__ = cls.__doc__ or cls.__name__
            made = dataclasses.dataclass(repr=False, eq=False, **more)(cls)
            fields = dataclasses.fields(made)
            _give(made, __repr__=_shown([one.name for one in fields if one.repr]))
            if eq:
                key = _key([one.name for one in fields if one.compare])
                _give(made, __eq__=_equal(key), __hash__=_hash(key) if frozen else None)
                if order:
                    _give(made, **{f"__{way.__name__}__": _compared(way, key) for way in (lt, le, gt, ge)})
            return made

        return make


def _give(made: type, **methods: "Callable[..., Any] | None") -> None:
    """Those that it does not have of its own."""
    for name, method in methods.items():
        if name not in made.__dict__:
            setattr(made, name, method)


def _key(names: list[str]) -> "Callable[[Any], Any]":
    return attrgetter(*names) if names else lambda _: ()


def _hash(key: "Callable[[Any], Any]") -> "Callable[[Any], int]":
    return lambda self: hash(key(self))


def _equal(key: "Callable[[Any], Any]") -> "Callable[[Any, object], bool]":
    def equal(self: Any, other: object) -> bool:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    return equal


def _compared(way: "Callable[[Any, Any], bool]", key: "Callable[[Any], Any]") -> "Callable[[Any, object], bool]":
    def compared(self: Any, other: object) -> bool:
        return way(key(self), key(other)) if other.__class__ is self.__class__ else NotImplemented

    return compared


def _shown(names: list[str]) -> "Callable[[Any], str]":
    def shown(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return shown
