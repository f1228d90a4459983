"""A stand-in for what a forge's API keeps: comments of one pull request, and files. It listens on loopback only."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

LARGEST = 65_535
MARK = "<!-- cloudsync diff -->"


@dataclass
class Forge:
    """`who` is what the token for comments is of; another is for files. `written` are methods of requests that
    changed something."""

    who: dict[str, Any]
    comments_by: str = "comment-token"
    files_by: str = "job-token"
    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)

    def crowded(self) -> None:
        """More comments than one page has, a stranger's that pretends to be ours among them."""
        for number in range(150):
            body = f"{MARK} not ours" if number == 3 else f"{number}"
            self.comments.append(self._comment(number + 1, body, {"login": "stranger", "id": 666}))

    @property
    def ours(self) -> list[str]:
        return [one["body"] for one in self.comments if self.who["id"] == one["author"]["id"]]

    def _comment(self, number: int, body: str, who: dict[str, Any]) -> dict[str, Any]:
        return {"id": number, "body": body, "user": who, "author": who}

    def answer(self, method: str, path: str, headers: Any, data: bytes) -> tuple[int, object]:
        """Status, and a value for JSON or bytes."""
        where = urlsplit(path)
        if "/packages/generic/" in where.path:
            return self._file(method, where.path, headers, data)
        if self.comments_by not in (
            headers.get("PRIVATE-TOKEN"),
            headers.get("Authorization", "").removeprefix("Bearer "),
        ):
            return 401, {"message": "who are you"}
        if where.path == "/user":
            return 200, self.who
        asked = {key: int(values[0]) for key, values in parse_qs(where.query).items()}
        if not re.search(r"/(issues|merge_requests)/(7/)?(comments|notes)", where.path):
            return 404, {"message": "no such place"}
        if method == "GET":
            first = (asked["page"] - 1) * asked["per_page"]
            return 200, self.comments[first : first + asked["per_page"]]
        return self._write(method, where.path, json.loads(data)["body"])

    def _write(self, method: str, path: str, body: str) -> tuple[int, object]:
        self.written.append(method)
        if len(body) > LARGEST:
            return 422, {"message": "too long"}
        if method == "POST":
            self.comments.append(self._comment(len(self.comments) + 1, body, self.who))
            return 201, self.comments[-1]
        one = self.comments[int(path.rpartition("/")[2]) - 1]
        one["body"] = body
        return 200, one

    def _file(self, method: str, path: str, headers: Any, data: bytes) -> tuple[int, object]:
        if headers.get("JOB-TOKEN") != self.files_by:
            return 401, {"message": "who are you"}
        if method == "PUT":
            self.files[path] = data
            return 201, {}
        return (200, self.files[path]) if path in self.files else (404, {})


@contextmanager
def serving(forge: Forge) -> Iterator[Forge]:
    """It listens, and `url` says where."""

    class Door(BaseHTTPRequestHandler):
        def do(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, found = forge.answer(self.command, self.path, self.headers, data)
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_PUT = do

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        forge.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield forge
        server.shutdown()
        thread.join()
