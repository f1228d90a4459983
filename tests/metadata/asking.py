"""A desk with the two guests of world.py, and one request to it; chance and the date are fixed."""

from cloudsync.agent.metadata.desk import Desk, Request
from cloudsync.agent.metadata.page import Page
from cloudsync.agent.metadata.reports import Report
from tests.metadata import world


def never(_uuid: str, _report: Report) -> bool:
    raise AssertionError("nothing was reported")


def desk(today: str = "2026-08-01") -> Desk:
    made = Desk(never, entropy=lambda count: b"\x01" * count, today=lambda: today, clock=lambda: 0.0)
    made.change(world.two_records().values(), ())
    return made


def get(path: str, source: str = world.ADDRESS_A, method: bytes = b"GET", today: str = "2026-08-01") -> Page:
    return desk(today).answer(Request(source, method, path.encode()))
