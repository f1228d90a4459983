"""What broke between two hosts is told of the one that it is about."""

from typing import Any

import pytest

from cloudsync.hosts.libvirt.connection import Connection, lv
from cloudsync.hosts.libvirt.pair import between
from cloudsync.model.problem import HostError


class End(Connection):
    """libvirt's own driver for tests, with a cable."""

    def __init__(self, host: str) -> None:
        super().__init__(host, "qemu:///system")

    def _opened(self, uri: str) -> Any:
        return lv.open("test:///default")


def said(source: Connection, target: Connection, *broken: Connection) -> str:
    with pytest.raises(HostError) as found, between(source, target, "take in the machine box"):
        for end in broken:
            end.close()
        raise lv.libvirtError("Bad file descriptor")
    return found.value.message


def test_the_one_that_went_away_is_named() -> None:
    one, other = End("h1"), End("h2")
    assert said(one, other, one).startswith("host h1 went away")
    assert said(one, other, other).startswith("host h2 went away")
    assert said(one, other).startswith("host h2: cannot take in the machine box from host h1: Bad file descriptor")
