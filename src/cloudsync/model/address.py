"""KIND.NAME: what a thing is called in the spec, in plans and on the command line, forever."""

from enum import StrEnum
from typing import Self

from cloudsync.model.dataclass import dataclass


def numbered(name: str) -> tuple[str, int]:
    """`web` and 3 of `web-3`, as counted instances are called; the name and 0 of every other."""
    base, _, number = name.rpartition("-")
    return (base, int(number)) if base and number.isdecimal() else (name, 0)


class Kind(StrEnum):
    HOST = "host"
    IMAGE = "image"
    NETWORK = "network"
    KEYPAIR = "keypair"
    GROUP = "group"
    INSTANCE = "instance"


@dataclass(frozen=True, slots=True, order=True)
class Address:
    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind.value}.{self.name}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raise ValueError unless `text` is KIND.NAME with a known kind."""
        kind, dot, name = text.partition(".")
        if not dot or not name:
            raise ValueError(f"{text!r} is not KIND.NAME")
        return cls(Kind(kind), name)
