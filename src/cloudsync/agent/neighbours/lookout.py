"""What is in the way on this host, asked often and looked up seldom. The agent's state and its check-up ask it."""

import threading
import time
from collections.abc import Callable
from dataclasses import field

from cloudsync.agent.firewall import genid
from cloudsync.agent.neighbours import kernel
from cloudsync.agent.neighbours.judge import obstacles
from cloudsync.agent.neighbours.kernel import View
from cloudsync.agent.neighbours.packet import packets
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.obstacle import Obstacle

_LEGACY_LASTS = 5.0
"""Seconds for which rules of iptables-legacy are taken as unchanged: they do not count in nftables' generation."""


@dataclass(frozen=True, slots=True)
class Sight:
    """`unread` says what could not be read and why, one line each."""

    obstacles: tuple[Obstacle, ...]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    views: tuple[View, View]
    document: HostDocument | None
    uplink: str | None
    sight: Sight

    def about(self, views: tuple[View, View], document: HostDocument | None, uplink: str | None) -> bool:
        """Whether it is of the very same values: comparing large ones would cost what judging does."""
        same = all(one is other for one, other in zip(views, self.views, strict=True))
        return same and document is self.document and uplink == self.uplink


@dataclass(slots=True)
class Lookout:
    """`metadata_port` is where the metadata service listens. Calls may come from several threads."""

    metadata_port: int = 8775
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _nft: tuple[int, View] | None = field(default=None, repr=False)
    _legacy: tuple[str, float, View] | None = field(default=None, repr=False)
    _seen: _Seen | None = field(default=None, repr=False)

    def look(self, document: HostDocument | None, uplink: str | None, fresh: bool = False) -> Sight:
        """`fresh` looks again even where nothing seems to have moved."""
        with self._lock:
            if fresh:
                self._nft = self._legacy = self._seen = None
            views = (self._nft_view(), self._legacy_view())
            if self._seen is None or not self._seen.about(views, document, uplink):
                self._seen = _Seen(views, document, uplink, self._judge(views, document, uplink))
            return self._seen.sight

    def _judge(self, views: tuple[View, View], document: HostDocument | None, uplink: str | None) -> Sight:
        tables = tuple(table for view in views for table in view.tables)
        found = obstacles(tables, tuple(packets(document, uplink, self.metadata_port)), kernel.programs())
        return Sight(found, tuple(line for view in views for line in view.unread))

    def _nft_view(self) -> View:
        before = genid.generation()
        if self._nft and self._nft[0] == before:
            return self._nft[1]
        view = kernel.nft_view()
        self._nft = (before, view) if before is not None else None
        return view

    def _legacy_view(self) -> View:
        names, now = kernel.legacy(), self.clock()
        if not names:
            return kernel.NOTHING
        if self._legacy and self._legacy[0] == names and now - self._legacy[1] < _LEGACY_LASTS:
            return self._legacy[2]
        view = kernel.legacy_view()
        self._legacy = (names, now, view)
        return view
