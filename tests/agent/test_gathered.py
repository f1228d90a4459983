"""An answer leaves whole: on its way through ssh a second part would wait for the first to be acknowledged."""

import asyncio
from typing import Any

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from cloudsync.agent.gathered import Gathered
from cloudsync.agent.server import Server, config


class Written(asyncio.Transport):
    """Keeps what it is to send."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.parts.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


app = FastAPI()


@app.get("/whole")
def whole() -> str:
    return "an answer"


@app.get("/lines")
def lines() -> StreamingResponse:
    async def told() -> Any:
        yield b"first\n"
        await asyncio.sleep(0)
        yield b"second\n"

    return StreamingResponse(told())


async def asked(path: str) -> list[bytes]:
    """The parts in which the answer is sent."""
    settings = config(app)
    settings.load()
    server = Server(settings)
    written = Written()
    protocol = settings.http_protocol_class(config=settings, server_state=server.server_state, app_state={})  # type: ignore[call-arg]
    protocol.connection_made(written)
    protocol.data_received(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    await asyncio.gather(*server.server_state.tasks)
    await asyncio.sleep(0)
    assert written.closed
    return written.parts


def test_head_and_body_of_an_answer_are_one_part() -> None:
    (part,) = asyncio.run(asked("/whole"))
    assert part.startswith(b"HTTP/1.1 200 OK\r\n")
    assert part.endswith(b'\r\n\r\n"an answer"')


def test_a_line_does_not_wait_for_the_next() -> None:
    parts = asyncio.run(asked("/lines"))
    assert len(parts) > 1
    assert b"first" in parts[0]
    assert b"second" not in parts[0]


def test_what_is_written_before_the_end_is_sent_and_after_a_break_nothing_is() -> None:
    async def ended(break_off: bool) -> list[bytes]:
        written = Written()
        gathered = Gathered(written)
        gathered.write(b"one ")
        gathered.write(b"two")
        gathered.abort() if break_off else gathered.close()
        await asyncio.sleep(0)
        return written.parts

    assert asyncio.run(ended(break_off=False)) == [b"one two"]
    assert asyncio.run(ended(break_off=True)) == []
