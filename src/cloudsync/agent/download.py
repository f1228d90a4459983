"""A URL into a file whose SHA-256 is right, however often the line breaks. The door to httpx; called by images.py.

What has arrived stays beside the target and is resumed with a Range request; the SHA-256 over the whole decides. A
server that ignores Range, or whose file has changed since (If-Range), sends everything again.
"""

import errno
import os
from collections.abc import Callable
from email.utils import parsedate
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from cloudsync.agent.progress import Meter
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import HostError
from cloudsync.model.spare import SPARE, shortage

if TYPE_CHECKING:
    from hashlib import _Hash

    import httpx

Progress = Callable[[str], None]
_CHUNK = 1 << 20
_WORTH_A_RETRY = frozenset({408, 425, 429, 500, 502, 503, 504})
_PAUSES = (1.0, 2.0, 4.0, 8.0)


class Stopped(HostError):
    """Nobody waits for the download any more."""


class Broken(Exception):
    """The line broke or the server was busy: trying again can help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`pauses` are the seconds before each new try; a try that brought something starts them over."""

    url: str
    sha256: str
    part: Path
    free: Callable[[], int]
    progress: Progress
    stop: Event
    pauses: tuple[float, ...] = _PAUSES
    timeout: float = 30.0


def fetch(order: Order) -> None:
    """Leave the whole file in `order.part`, flushed to the disk.

    Raise HostError; what has arrived is kept for a resume, unless it is wrong, then it is removed.
    """
    import httpx

    if urlsplit(order.url).scheme not in ("http", "https"):
        raise HostError(f"{bare(order.url)} is not an http(s) URL", "only those are fetched by the agent")
    resumed = order.part.exists() and order.part.stat().st_size > 0
    limits = httpx.Timeout(order.timeout)
    with httpx.Client(follow_redirects=True, max_redirects=5, timeout=limits) as client:
        found = _persist(client, order)
        if found != order.sha256 and resumed:
            order.progress("what was there from an earlier try does not fit: starting over")
            _forget(order)
            found = _persist(client, order)
    if found != order.sha256:
        _forget(order)
        raise HostError(
            f"{bare(order.url)} has SHA-256 {found}, but the spec says {order.sha256}",
            "if the image was published anew, check it and put its SHA-256 into the spec; otherwise do not trust it",
        )
    _validator_file(order.part).unlink(missing_ok=True)


def bare(url: str) -> str:
    """The URL as a message may carry it: without user, password and query, which can be secrets."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _persist(client: "httpx.Client", order: Order) -> str:
    """Try until all has arrived; the SHA-256 of it."""
    left = list(order.pauses)
    while True:
        had = _size(order.part)
        try:
            return _attempt(client, order)
        except Broken as error:
            if _size(order.part) > had:
                left = list(order.pauses)
            if not left:
                raise HostError(
                    f"{bare(order.url)}: {error}",
                    "check that this host can reach it; what has arrived is kept, so run apply again",
                ) from error
            pause = left.pop(0)
            order.progress(f"{error}; trying again in {pause:g} s")
            if order.stop.wait(pause):
                raise Stopped("the download was stopped") from None


def _attempt(client: "httpx.Client", order: Order) -> str:
    import httpx

    offset = _size(order.part)
    try:
        with client.stream("GET", order.url, headers=_headers(order, offset)) as response:
            start = _start(response, order, offset)
            if start is None:
                return _digest_of(order)
            return _receive(response, order, start)
    except (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError) as error:
        raise Broken(_why(error, order)) from error
    except httpx.TooManyRedirects as error:
        raise HostError(f"{bare(order.url)}: more than 5 redirects", "give the final URL") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise HostError(f"{bare(order.url)} cannot be fetched: {type(error).__name__}", "check the URL") from error


def _why(error: Exception, order: Order) -> str:
    if "timed out" in str(error) or "Timeout" in type(error).__name__:
        return f"no answer for {order.timeout:g} s"
    return f"the connection broke ({str(error)[:200] or type(error).__name__})"


def _headers(order: Order, offset: int) -> dict[str, str]:
    """A stored Content-Encoding would change the bytes under the digest, so none is asked for."""
    headers = {"accept-encoding": "identity"}
    if offset:
        headers["range"] = f"bytes={offset}-"
        validator = _validator(order)
        if validator:
            headers["if-range"] = validator
    return headers


def _start(response: "httpx.Response", order: Order, offset: int) -> int | None:
    """Where in the file this answer starts; None when everything is there already."""
    code = response.status_code
    if code == 206 and response.headers.get("content-range", "").startswith(f"bytes {offset}-"):
        return offset
    if code == 200:
        _keep_validator(response, order)
        return 0
    if code in (206, 416) and offset:
        if code == 416 and response.headers.get("content-range") == f"bytes */{offset}":
            return None
        _forget(order)
        raise Broken("the server cannot go on where it stopped")
    if code in _WORTH_A_RETRY:
        raise Broken(f"the server answers {code}")
    raise HostError(
        f"{bare(order.url)}: the server answers {code} {response.reason_phrase}",
        "check the URL, and that it needs no login" if code in (401, 403) else "check the URL",
    )


def _receive(response: "httpx.Response", order: Order, start: int) -> str:
    announced = response.headers.get("content-length", "")
    total = start + int(announced) if announced.isdigit() and len(announced) < 19 else None
    _need_room(order, (total or start) - start, order.free())
    digest = sha256()
    with order.part.open("r+b" if start else "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        _hash_prefix(file, digest, start, order)
        file.truncate()
        _copy(response, file, digest, Meter(total, start, order.progress), order)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _copy(response: "httpx.Response", file: IO[bytes], digest: "_Hash", meter: Meter, order: Order) -> None:
    """httpx raises when less arrives than was announced; a line without an announced end is held to the room left.

    Chunks are taken as they come: httpx throws away what it has gathered for a bigger one when the line breaks.
    """
    unchecked = 0
    for chunk in response.iter_raw():
        if order.stop.is_set():
            raise Stopped("the download was stopped")
        unchecked += len(chunk)
        if meter.total is None and unchecked >= SPARE // 4:
            _need_room(order, 0, order.free())
            unchecked = 0
        try:
            file.write(chunk)
            file.flush()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise full(order.part.parent, len(chunk), 0) from error
            raise HostError(f"{order.part} cannot be written: {error.strerror}", "look after the disk") from error
        digest.update(chunk)
        meter.add(len(chunk))


def _need_room(order: Order, needed: int, free: int) -> None:
    if shortage(needed, free):
        raise full(order.part.parent, needed, free)


def full(folder: Path, needed: int, free: int) -> HostError:
    """Of the pool that has `folder`."""
    return HostError(
        f"the pool {folder} is full: {shortage(needed, free)}",
        f"make room: df -h {folder}; images that no machine uses go with the next apply",
    )


def _hash_prefix(file: IO[bytes], digest: "_Hash", length: int, order: Order) -> None:
    """Read what is there already; the file's position is at `length` then."""
    meter = Meter(length, 0, lambda text: order.progress(f"checking what is there: {text}"))
    left = length
    while left:
        chunk = file.read(min(_CHUNK, left))
        if not chunk:
            raise Broken("what had arrived has become shorter")
        if order.stop.is_set():
            raise Stopped("the download was stopped")
        digest.update(chunk)
        left -= len(chunk)
        meter.add(len(chunk))


def _digest_of(order: Order) -> str:
    digest = sha256()
    with order.part.open("rb") as file:
        _hash_prefix(file, digest, _size(order.part), order)
    return digest.hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _forget(order: Order) -> None:
    order.part.unlink(missing_ok=True)
    _validator_file(order.part).unlink(missing_ok=True)


def _validator_file(part: Path) -> Path:
    return part.with_name(part.name + ".validator")


def _keep_validator(response: "httpx.Response", order: Order) -> None:
    """Only a strong one may stand in If-Range (RFC 9110, 13.1.5)."""
    tag = response.headers.get("etag", "")
    strong = tag if tag.startswith('"') and len(tag) < 256 and tag.isascii() else ""
    date = response.headers.get("last-modified", "")
    found = strong or (date if parsedate(date) else "")
    _validator_file(order.part).write_text(found, encoding="ascii", errors="ignore")


def _validator(order: Order) -> str:
    path = _validator_file(order.part)
    return path.read_text(encoding="ascii", errors="ignore").strip() if path.exists() else ""
