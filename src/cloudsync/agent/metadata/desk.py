"""A request into its answer: who asks is decided by the source address alone, and it gets its own pages only.

No header that a guest sends (X-Forwarded-For, X-Instance-ID) is looked at. Called by connection.py; nothing here waits.
"""

import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from cloudsync.agent.metadata import ec2, openstack, reports, vendor, versions
from cloudsync.agent.metadata.page import HTML, TEXT, Page, error, page
from cloudsync.agent.metadata.record import Record
from cloudsync.agent.metadata.reports import Report
from cloudsync.agent.metadata.route import segments
from cloudsync.agent.metadata.site import Site
from cloudsync.agent.metadata.tally import Tally
from cloudsync.model.dataclass import dataclass

Tell = Callable[[str, Report], bool]
"""Given an instance's uuid and its report; False when the agent does not keep up."""

# A guest whose uuid looks like EC2's asks this first and waits for ever on 503: always a fast 404.
_TOKEN = (("latest", "api", "token"), ("ec2", "latest", "api", "token"))
_EC2_VERSIONS = page(ec2.LISTING, TEXT)


@dataclass(frozen=True, slots=True)
class Request:
    """`body` is empty unless `takes_body` said that somebody reads it."""

    source: str
    method: bytes
    target: bytes
    accept: str = ""
    body: bytes = b""


def takes_body(method: bytes) -> bool:
    return method == b"POST"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


class Desk:
    def __init__(
        self,
        tell: Tell,
        entropy: Callable[[int], bytes] = os.urandom,
        today: Callable[[], str] = _today,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell, self._entropy, self._today, self._clock = tell, entropy, today, clock
        self.tally = Tally()
        self._by_uuid: dict[str, Site] = {}
        self._by_address: dict[str, Site] = {}

    def change(self, put: Iterable[Record], drop: Iterable[str]) -> None:
        """New or changed records in, those of the uuids in `drop` out, between two requests."""
        now = self._clock()
        for uuid in drop:
            self._by_uuid.pop(uuid, None)
        for record in put:
            site = Site(record, now)
            old = self._by_uuid.get(record.uuid)
            if old is not None:
                site.take_over(old)
            self._by_uuid[record.uuid] = site
        self._by_address = {address: site for site in self._by_uuid.values() for address in site.record.addresses}

    def answer(self, request: Request) -> Page:
        path = segments(request.target)
        found = self._page(path, request)
        self.tally.add(path, found.status)
        return found

    def _page(self, path: tuple[str, ...], request: Request) -> Page:
        if not path:
            return _EC2_VERSIONS
        site = self._by_address.get(request.source)
        if site is None or path in _TOKEN:
            return error(404, request.accept)
        if not site.record.complete:
            return error(503, request.accept)
        found = self._find(site, path, request)
        return found if isinstance(found, Page) else error(found, request.accept)

    def _find(self, site: Site, path: tuple[str, ...], request: Request) -> Page | int:
        """A page, or the status of an error."""
        if path[0] == "openstack":
            return self._openstack(site, path[1:], request)
        if path[0] == "cloudsync":
            return self._report(site, "/".join(path), request)
        rest = path[1:] if path[0] == "ec2" else path
        if not rest:
            return _EC2_VERSIONS
        return site.ec2(rest[0], "/".join(rest[1:])) or 404

    def _openstack(self, site: Site, path: tuple[str, ...], request: Request) -> Page | int:
        if not path:
            return page(openstack.listed(self._today()), TEXT)
        version, name = path[0], "/".join(path[1:])
        if name == openstack.PASSWORD and (version == versions.LATEST or version in versions.OPENSTACK[1:]):
            return self._password(site, request)
        found = site.openstack(version, name)
        if found is not None and name == openstack.META_DATA and version != versions.FOLSOM:
            return page(openstack.seeded(found.body, self._entropy(openstack.SEED_BYTES)), found.kind)
        return found or 404

    def _password(self, site: Site, request: Request) -> Page | int:
        """Unset is an empty 200, as in Nova. It can be set once."""
        if request.method == b"GET":
            return page(site.password, HTML)
        if request.method == b"POST" and site.password:
            return 409
        if request.method != b"POST" or len(request.body) > reports.MAX_PASSWORD:
            return 400
        if request.body and not self._tell(site.record.uuid, reports.Password(request.body)):
            return 503
        site.password = request.body
        return page(b"", HTML)

    def _report(self, site: Site, path: str, request: Request) -> Page | int:
        if path not in (vendor.REPORT, vendor.PHONE_HOME) or request.method != b"POST":
            return 404
        if site.reports.wait(self._clock()):
            return 429
        site.reports.take()
        report: Report
        try:
            if path == vendor.REPORT:
                report = reports.read_event(request.body)
            else:
                report = reports.read_home(request.body, site.identities)
        except ValueError:
            return 400
        return page(b"", TEXT) if self._tell(site.record.uuid, report) else 503
