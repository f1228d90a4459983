"""A host's agent as calls of Python: what the real Driver asks of it. Every failure is a CloudsyncError.

Calls may come from several threads: each opens a connection of its own.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

from cloudsync import __version__
from cloudsync.hosts.lease import once, renewed
from cloudsync.hosts.unix_http import Absent, Answer, Endpoint, Silent
from cloudsync.hosts.way import Way
from cloudsync.model import wire
from cloudsync.model.agent_state import AgentState, Held, ImageDone, Signs
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Image
from cloudsync.model.snapshot import Boot
from cloudsync.model.version import upgrade

if TYPE_CHECKING:
    from cloudsync.model.checkup import Report
    from cloudsync.model.delta import DocumentDelta
    from cloudsync.model.denial import Denial
    from cloudsync.model.flow import Flow
    from cloudsync.model.journal import Entry, Line
    from cloudsync.model.ruling import Ruling
    from cloudsync.reach.question import Question

T = TypeVar("T")

_QUICK = 60.0
_SHORT = 10.0
_APPLY = 300.0
_LEASE = 20.0
_SILENCE = 60.0
"""Seconds without a line; the agent sends one at least every 15 s."""


@dataclass(frozen=True, slots=True)
class _Failure:
    message: str
    hint: str


class AgentClient:
    def __init__(self, socket: Path, host: str = "this host", way: Way | None = None) -> None:
        """`socket` is on this machine, or where `way` leads; `host` is what messages call the agent's host."""
        self._at = Endpoint(socket, host, way)

    def host(self) -> AgentState:
        """What is there now; the document comes without user-data."""
        return self._loaded(AgentState, self._at.ask("GET", "/v1/host", wait=_QUICK))

    def put_document(self, document: HostDocument, base: int) -> str:
        """Replace generation `base`; the etag of the new one, empty from an agent that gives none.

        StaleError when another came between: nothing is changed then.
        """
        body = wire.dump(document)
        answer = self._at.ask("PUT", "/v1/document", body, {"if-match": f'"{base}"'}, wait=_APPLY)
        return str(self._fields(answer).get("etag", ""))

    def patch_document(self, delta: "DocumentDelta", etag: str) -> str:
        """Change the document called `etag`; the etag of the new one. StaleError when that is not the one there."""
        body = wire.dump(delta)
        answer = self._at.ask("PATCH", "/v1/document", body, {"if-match": f'"{etag}"'}, wait=_APPLY)
        return str(self._fields(answer).get("etag", ""))

    @contextmanager
    def lock(self, who: str, lost: Callable[[], None] = lambda: None, lease: float = _LEASE) -> Iterator[None]:
        """Hold the host's apply lock. LockedError names the holder and since when. It goes with this process.

        It goes with the agent as well, and when the line is cut for `lease` seconds: then `lost` is called, from
        another thread.
        """
        body = json.dumps({"who": who}).encode()
        answer = self._at.send("POST", f"/v1/lock?lease={lease:g}", body, wait=_SHORT)
        with closing(answer):
            fields = self._fields(answer.line(_SHORT))
            if fields.get("held") is not True:
                raise HostError(f"{self._at.host}: the agent did not give the lock", "run this again")
            key, told = fields.get("key"), once(lost)
            with answer.kept(_SILENCE, told), ExitStack() as stack:
                # An older agent gives no key, and asks for nothing.
                if isinstance(key, str):
                    renew = partial(self._at.ask, "PUT", f"/v1/lock/{key}", wait=_SHORT)
                    stack.enter_context(renewed(renew, lease, told))
                yield

    def rulings(self, asked: "Question") -> "tuple[Ruling, ...]":
        """What the host's kernel does with packets."""
        from cloudsync.model.ruling import Ruling

        ends = [("source", asked.source), ("target", asked.target)]
        query = urlencode([*ends, *(("service", str(service)) for service in asked.services)])
        return self._loaded(tuple[Ruling, ...], self._at.ask("GET", f"/v1/rulings?{query}", wait=_QUICK))

    def holder(self) -> Held | None:
        """Who holds the apply lock."""
        answer = self._at.ask("GET", "/v1/lock", wait=_QUICK)
        return None if answer.strip() == b"null" else self._loaded(Held, answer)

    def note(self, line: "Line") -> None:
        """Have it written into the host's journal."""
        with self._journal():
            self._at.ask("POST", "/v1/journal", wire.dump(line), wait=_SHORT)

    def applies(self, cloud: str, limit: int) -> "tuple[Entry, ...]":
        """The last applies of a cloud, oldest first."""
        from cloudsync.model.journal import Entry

        query = urlencode({"cloud": cloud, "limit": limit})
        with self._journal():
            return self._loaded(tuple[Entry, ...], self._at.ask("GET", f"/v1/journal?{query}", wait=_SHORT))

    @contextmanager
    def _journal(self) -> Iterator[None]:
        try:
            yield
        except Absent:
            raise HostError(f"{self._at.host}: its agent keeps no journal", "upgrade cloudsync there") from None

    def put_image(self, image: Image, source: str | None, progress: Callable[[str], None]) -> ImageDone:
        """Have it in the host's cache, fetched from `source`; when that is None, from the upload `incoming-SHA256`."""
        wanted = {"name": image.name, "sha256": image.sha256, "source": source, "format": image.format}
        with closing(self._at.send("POST", "/v1/images", json.dumps(wanted).encode(), wait=_SILENCE)) as answer:
            while line := answer.line(_SILENCE):
                done = self._image_news(line, progress)
                if done is not None:
                    return done
        raise self._stopped()

    def delete_image(self, sha256: str) -> None:
        """Succeeds when it is gone already; HostError while a disk stands on it."""
        self._at.ask("DELETE", f"/v1/images/{quote(sha256, safe='')}", wait=_QUICK)

    def boots(self, names: Mapping[str, str], seen: Callable[[Boot], None], timeout: float) -> None:
        """Report each new Boot of these instances, `names` by uuid, until all are finished.

        HostError after `timeout` seconds names the rest.
        """
        waiting = set(names)
        if not waiting:
            return
        end = monotonic() + timeout
        query = urlencode([("uuid", uuid) for uuid in sorted(names)])
        with closing(self._at.send("GET", f"/v1/boots?{query}", wait=_SILENCE)) as answer:
            while waiting:
                boot = self._next_boot(answer, end)
                if boot is None:
                    late = sorted(names[uuid] for uuid in waiting)
                    raise HostError(
                        f"{self._at.host}: no end of boot in {timeout:g} s from {', '.join(late)}",
                        f"look at `cloudsync logs {late[0]}`",
                    )
                seen(boot)
                if boot.finished:
                    waiting.discard(boot.uuid)

    def signs(self, uuid: str) -> Signs:
        """What tells that a machine that was started is back."""
        return self._loaded(Signs, self._at.ask("GET", _of(uuid, "signs"), wait=_QUICK))

    def power_on(self, uuid: str) -> None:
        """Say that this machine is about to be started: what its guest told of an earlier boot is over."""
        self._at.ask("POST", _of(uuid, "boot"), wait=_QUICK)

    def put_boot(self, boot: Boot) -> None:
        """What a guest told of its boot where it lived before."""
        body = wire.dump(boot)
        self._at.ask("PUT", _of(boot.uuid, "boot"), body, wait=_QUICK)

    def flows(self, uuid: str) -> "tuple[Flow, ...]":
        """Connections of a machine that can go along to another host."""
        from cloudsync.model.flow import Flow

        return self._loaded(tuple[Flow, ...], self._at.ask("GET", _of(uuid, "flows"), wait=_QUICK))

    def put_flows(self, uuid: str, flows: "tuple[Flow, ...]") -> None:
        """Those that it had where it lived before."""

        self._at.ask("PUT", _of(uuid, "flows"), wire.dump(flows), wait=_QUICK)

    def console(self, uuid: str) -> bytes:
        """What the machine wrote to its serial port, oldest first. HostError when there is no log."""
        return self._at.ask("GET", _of(uuid, "console"), wait=_QUICK)

    def forget_console(self, uuid: str) -> None:
        """Remove what a machine that is gone wrote to its serial port."""
        self._at.ask("DELETE", _of(uuid, "console"), wait=_QUICK)

    def denied(self, uuid: str) -> "tuple[Denial, ...]":
        """What its groups denied lately, the latest last. HostError when none of them logs it."""
        from cloudsync.model.denial import Denial

        return self._loaded(tuple[Denial, ...], self._at.ask("GET", _of(uuid, "denied"), wait=_QUICK))

    def follow_denied(self, uuid: str, seen: "Callable[[Denial], None]") -> None:
        """Each denial from now on; HostError when the agent stops."""
        from cloudsync.model.denial import Denial

        with closing(self._at.send("GET", _of(uuid, "denied/follow"), wait=_SILENCE)) as answer:
            while line := answer.line(_SILENCE):
                if line.strip():
                    seen(self._loaded(Denial, line))
        raise self._stopped()

    def alerts(self) -> Answer:
        """One Alert a line, beginning with how it is now; for the caller to close."""
        return self._at.send("GET", "/v1/alerts", wait=_SILENCE)

    def checkup(self) -> "Report":
        """What the agent finds right and wrong on its host."""
        from cloudsync.model.checkup import Report

        return self._loaded(Report, self._at.ask("GET", "/v1/checkup", wait=_QUICK))

    def _next_boot(self, answer: Answer, end: float) -> Boot | None:
        """None when the time is over."""
        while (left := end - monotonic()) > 0:
            try:
                line = answer.line(min(left, _SILENCE))
            except Silent:
                if left <= _SILENCE:
                    return None
                raise
            if not line:
                raise self._stopped()
            if line.strip():
                return self._loaded(Boot, line)
        return None

    def _image_news(self, line: bytes, progress: Callable[[str], None]) -> ImageDone | None:
        """None unless the image is there. An empty line only says that the agent lives."""
        if not line.strip():
            return None
        fields = self._fields(line)
        if "progress" in fields:
            progress(str(fields["progress"]))
            return None
        if "error" in fields:
            error = self._loaded(_Failure, json.dumps(fields["error"]))
            raise HostError(f"{self._at.host}: {error.message}", error.hint)
        return self._loaded(ImageDone, json.dumps(fields.get("done")))

    def _fields(self, line: bytes) -> dict[str, Any]:
        return self._loaded(dict[str, Any], line)

    def _loaded(self, kind: type[T], data: bytes | str) -> T:
        """The cause is dropped: pydantic's text would quote the answer."""
        try:
            return wire.load(kind, data)
        except ValueError:
            pass
        raise HostError(
            f"{self._at.host}: the agent's answer cannot be understood",
            _apart(data) or "are controller and agent of the same version? `cloudsync --version` on both",
        )

    def _stopped(self) -> HostError:
        return HostError(
            f"the agent on {self._at.host} stopped in the middle of an answer",
            "start it again (`sudo systemctl start cloudsync-agent`), then run this again",
        )


def _apart(data: bytes | str) -> str:
    """An answer of another shape may still say whose it is."""
    try:
        found = json.loads(data)
    except ValueError:
        return ""
    version = found.get("version") if isinstance(found, dict) else None
    return upgrade(__version__, version) if isinstance(version, str) else ""


def _of(uuid: str, what: str) -> str:
    return f"/v1/instances/{quote(uuid, safe='')}/{what}"
