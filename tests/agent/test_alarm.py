"""Who listens is told when the host is not as its document says, and when it is again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, closing
from typing import cast

from cloudsync.agent.alarm import MOST, Alarm
from cloudsync.model import wire
from cloudsync.model.agent_state import Alert
from cloudsync.model.snapshot import Drift
from tests.agent.documents import document
from tests.agent.lab import Lab


class Host:
    """Stands where the kernel is."""

    def __init__(self) -> None:
        self.drift: tuple[Drift, ...] = ()
        self.looks = 0

    def look(self) -> tuple[Drift, ...]:
        self.looks += 1
        return self.drift


def drift(words: str) -> Drift:
    return Drift(address="group.web", host="h1", message=words)


def test_each_change_is_told_once_to_whoever_listens() -> None:
    host = Host()
    alarm = Alarm(host.look)
    alarm.check()
    assert host.looks == 0, "nobody listens"

    async def listen() -> list[Alert]:
        found = []
        async with aclosing(cast(AsyncGenerator[Alert, None], alarm.follow())) as alerts:
            found.append(await anext(alerts))
            for drifted in ((drift("one"),), (drift("one"),), (), (drift("two"),) * (MOST + 3)):
                host.drift = drifted
                await asyncio.to_thread(alarm.check)
            for _ in range(3):
                found.append(await anext(alerts))
        return found

    one, gone, many = (drift("one"),), (), (drift("two"),) * MOST
    assert asyncio.run(listen()) == [Alert(), Alert(drift=one), Alert(drift=gone), Alert(drift=many, more=3)]
    looks = host.looks
    alarm.check()
    assert host.looks == looks, "nobody listens any more"


def test_an_agent_tells_how_it_is_first(agent: Lab) -> None:
    agent.client.put_document(document(), 0)
    agent.first.drifts("a rule is missing")
    with closing(agent.client.alerts()) as answer:
        found = wire.load(Alert, answer.line(30))
    assert [one.message for one in found.drift] == ["a rule is missing"]
