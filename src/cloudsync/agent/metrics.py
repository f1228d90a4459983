"""What the agent counts, as Prometheus reads it. Imported only when somebody asks for metrics.

No label is a guest's or a person's own word: whoever may read this learns how much happens, not to whom.
"""

import socket
import time
from collections.abc import Callable, Collection
from threading import Lock

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    make_asgi_app,
)

from cloudsync import __version__
from cloudsync.agent.metadata.fold import STAGES
from cloudsync.agent.metadata.tally import Counts
from cloudsync.agent.meter import Meter
from cloudsync.agent.server import Config, config
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import Boot

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BOOT_SECONDS = (0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
_READERS = 16
_IP_FREEBIND, _IPV6_FREEBIND = 15, 78


class Metrics(Meter):
    """`clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._phases: dict[str, tuple[str, float]] = {}
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        Info("cloudsync_agent", "The agent itself.", registry=registry).info({"version": __version__})
        self._documents = Counter(
            "cloudsync_agent_documents", "Host documents sent to the agent.", ["how", "outcome"], registry=registry
        )
        self._taking = Histogram(
            "cloudsync_agent_document_seconds",
            "How long it took to bring a document into force.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._generation = Gauge(
            "cloudsync_agent_document_generation", "The generation that is in force.", registry=registry
        )
        self._instances = Gauge("cloudsync_agent_instances", "Instances that the host is to have.", registry=registry)
        self._repairs = Counter("cloudsync_agent_repairs", "Times that the host was put right.", registry=registry)
        self._restored = Counter(
            "cloudsync_agent_restored_things", "Changed things that were put back.", registry=registry
        )
        self._requests = Counter(
            "cloudsync_metadata_requests", "Requests of guests, by answer.", ["tree", "code"], registry=registry
        )
        self._boots = Counter("cloudsync_guest_boots", "Boots that guests ended.", ["result"], registry=registry)
        self._phase = Histogram(
            "cloudsync_guest_boot_phase_seconds",
            "How long a phase of a guest's boot took, by its reports.",
            ["phase"],
            buckets=_BOOT_SECONDS,
            registry=registry,
        )
        booting = Gauge("cloudsync_guests_booting", "Guests that are in a phase of their boot.", registry=registry)
        booting.set_function(lambda: len(self._phases))

    def document(self, how: str, outcome: str, seconds: float) -> None:
        self._documents.labels(how, outcome).inc()
        if outcome == "stored":
            self._taking.observe(seconds)

    def holds(self, document: HostDocument) -> None:
        self._generation.set(document.generation)
        self._instances.set(len(document.instances))

    def restored(self, things: int) -> None:
        if things:
            self._repairs.inc()
            self._restored.inc(things)

    def asked(self, counts: Counts) -> None:
        for (tree, status), count in counts.items():
            self._requests.labels(tree, str(status)).inc(count)

    def booting(self, boot: Boot) -> None:
        """A phase is over when the guest speaks of the next one, or of the end."""
        phase = boot.stage.partition("/")[0]
        now = self._clock()
        with self._lock:
            before, began = self._phases.get(boot.uuid, ("", now))
            if not boot.finished and phase not in STAGES:
                self._phases.pop(boot.uuid, None)
                return
            if boot.finished or before != phase:
                self._phases.pop(boot.uuid, None)
                if before:
                    self._phase.labels(before).observe(now - began)
            if boot.finished and before:
                self._boots.labels("failed" if boot.failures else "clean").inc()
            elif not boot.finished and before != phase:
                self._phases[boot.uuid] = (phase, now)

    def forget_others(self, uuids: Collection[str]) -> None:
        with self._lock:
            self._phases = {uuid: one for uuid, one in self._phases.items() if uuid in uuids}


@dataclass(frozen=True, slots=True)
class Counted:
    """`config` is of the server that answers at `listener`."""

    meter: Metrics
    config: Config
    listener: socket.socket


def counted(host: str, port: int) -> Counted:
    """Metrics that can be read there. CloudsyncError when that is not to be had."""
    metrics = Metrics()
    # Few readers at once: whoever reaches the address must not use up the agent.
    limits = {"limit_concurrency": _READERS, "timeout_keep_alive": 5, "timeout_graceful_shutdown": 1}
    return Counted(metrics, config(make_asgi_app(metrics.registry), **limits), _listen(host, port))


def _listen(host: str, port: int) -> socket.socket:
    """The address may come later than the agent, which is up before the network."""
    v6 = ":" in host
    listener = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(*((socket.IPPROTO_IPV6, _IPV6_FREEBIND) if v6 else (socket.IPPROTO_IP, _IP_FREEBIND)), 1)
        listener.bind((host, port))
        listener.listen(_READERS)
    except OSError as error:
        listener.close()
        raise CloudsyncError(
            f"metrics cannot be read at {host} port {port}: {error.strerror}", "give --metrics another ADDRESS:PORT"
        ) from None
    return listener
