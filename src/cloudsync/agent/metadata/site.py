"""One instance's pages, made when first asked for and kept until its record changes."""

from cloudsync.agent.metadata import ec2, openstack, versions
from cloudsync.agent.metadata.bucket import Bucket
from cloudsync.agent.metadata.page import Page
from cloudsync.agent.metadata.record import Record

_REPORTS_RATE, _REPORTS_BURST = 10.0, 200


class Site:
    def __init__(self, record: Record, now: float) -> None:
        self.record = record
        self.password = record.password
        self.identities = frozenset((record.uuid, ec2.short_id(record)))
        self.reports = Bucket(_REPORTS_RATE, _REPORTS_BURST, now)
        self._pages: dict[tuple[str, str], dict[str, Page]] = {}

    def take_over(self, old: "Site") -> None:
        """Be the same instance with another record: what its guest has done stays done."""
        self.password = self.password or old.password
        self.reports = old.reports

    def openstack(self, version: str, path: str) -> Page | None:
        """`path` is what follows the version, without slashes at either end."""
        known = versions.OPENSTACK[-1] if version == versions.LATEST else version
        if known not in versions.OPENSTACK:
            return None
        pages = self._pages.get(("openstack", known))
        if pages is None:
            pages = self._pages["openstack", known] = openstack.pages(self.record, known)
        return pages.get(path)

    def ec2(self, version: str, path: str) -> Page | None:
        known = versions.EC2[-1] if version == versions.LATEST else version
        if known not in versions.EC2:
            return None
        pages = self._pages.get(("ec2", known))
        if pages is None:
            pages = self._pages["ec2", known] = ec2.pages(self.record, known)
        return pages.get(path)
