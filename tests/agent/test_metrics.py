"""What the agent counts, read as Prometheus reads it."""

import socket
import urllib.request

import pytest

from cloudsync.agent.keeper import Moved
from cloudsync.agent.meter import Meter, metered
from cloudsync.agent.metrics import Metrics
from cloudsync.cli.listening import readers
from cloudsync.model.problem import CloudsyncError, HostError
from cloudsync.model.snapshot import Boot
from tests.agent.documents import document
from tests.agent.lab import Lab
from tests.lab.ports import free_port
from tests.watch.conventions import Samples, read, samples

WEB, DB = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics(clock: Clock) -> Metrics:
    return Metrics(clock)


def test_documents_by_how_they_ended(metrics: Metrics) -> None:
    errors: list[tuple[str, Exception | None]] = [
        ("put", None),
        ("patch", None),
        ("patch", Moved("another came between")),
        ("put", HostError("a part failed")),
        ("put", KeyError("a bug")),
    ]
    for how, error in errors:
        try:
            with metered(metrics, how):
                if error:
                    raise error
        except (CloudsyncError, KeyError):
            continue
    found = read(metrics.registry)
    named = "cloudsync_agent_documents_total"
    assert {key[1]: value for key, value in found.items() if key[0] == named} == {
        (("how", "put"), ("outcome", "stored")): 1,
        (("how", "patch"), ("outcome", "stored")): 1,
        (("how", "patch"), ("outcome", "stale")): 1,
        (("how", "put"), ("outcome", "refused")): 2,
    }
    assert found["cloudsync_agent_document_seconds_count", ()] == 2


def phases(found: Samples) -> dict[str, tuple[float, float]]:
    """How many, and how long, by phase."""
    name = "cloudsync_guest_boot_phase_seconds"
    counts = {labels[0][1]: value for (one, labels), value in found.items() if one == f"{name}_count"}
    return {phase: (count, found[f"{name}_sum", (("phase", phase),)]) for phase, count in counts.items()}


def test_phases_of_boots(metrics: Metrics, clock: Clock) -> None:
    for now, stage, finished in (
        (0, "", False),
        (10, "init-local", False),
        (11, "init-network/config-bootcmd", False),
        (12, "init-network/config-users", False),
        (15, "modules-final/config-scripts-user", False),
        (35, "modules-final", True),
        (36, "modules-final/config-x", True),
    ):
        clock.now = now
        metrics.booting(Boot(uuid=WEB, stage=stage, finished=finished, failures=("x",)))
        if now == 12:
            assert read(metrics.registry)["cloudsync_guests_booting", ()] == 1
    found = read(metrics.registry)
    assert phases(found) == {"init-local": (1, 1), "init-network": (1, 4), "modules-final": (1, 20)}
    assert found["cloudsync_guest_boots_total", (("result", "failed"),)] == 1
    assert found["cloudsync_guests_booting", ()] == 0


def test_a_guest_makes_up_no_phase_and_leaves_nothing_behind(metrics: Metrics) -> None:
    for index in range(100):
        metrics.booting(Boot(uuid=WEB, stage=f"phase-{index}/x"))
    metrics.booting(Boot(uuid=WEB, stage="init-network/x"))
    metrics.booting(Boot(uuid=DB, stage="init-network/x"))
    metrics.forget_others({DB})
    metrics.booting(Boot(uuid=DB))
    found = read(metrics.registry)
    assert phases(found) == {}
    assert found["cloudsync_guests_booting", ()] == 0


def test_answers_are_added_up(metrics: Metrics) -> None:
    for _ in range(2):
        metrics.asked({("openstack", 200): 3, ("none", 404): 1})
    found = read(metrics.registry)
    assert found["cloudsync_metadata_requests_total", (("code", "200"), ("tree", "openstack"))] == 6
    assert found["cloudsync_metadata_requests_total", (("code", "404"), ("tree", "none"))] == 2


def scraped(port: int) -> Samples:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        f"http://127.0.0.1:{port}/metrics"
    ) as answer:
        assert answer.headers["content-type"].startswith("text/plain; version=")
        return samples(answer.read().decode())


def test_an_agent_is_read_where_the_person_says(lab: Lab) -> None:
    with free_port() as port:
        (lab.root / "readers").write_text(str(port))
        lab.start()
    assert scraped(port)["cloudsync_agent_document_generation", ()] == 0
    lab.client.put_document(document(), 0)
    found = scraped(port)
    assert found["cloudsync_agent_documents_total", (("how", "put"), ("outcome", "stored"))] == 1
    assert (found["cloudsync_agent_document_generation", ()], found["cloudsync_agent_instances", ()]) == (1, 1)
    assert found["process_open_fds", ()] > 0
    assert lab.end() == 0


def test_a_port_that_is_taken_keeps_no_agent_from_its_work(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (lab.root / "readers").write_text(str(port))
        lab.start()
        lab.client.put_document(document(), 0)
        assert f"metrics cannot be read at 127.0.0.1 port {port}: " in lab.log


def test_who_reads_is_decided_by_an_address() -> None:
    assert readers("192.0.2.7:9477") == ("192.0.2.7", 9477)
    assert readers("[::1]:9477") == ("::1", 9477)
    for wrong_one in (
        "9477",
        ":9477",
        "localhost:9477",
        "192.0.2.7",
        "192.0.2.7:0",
        "192.0.2.7:99999",
        "::1:9477",
        "[192.0.2.7]:1",
    ):
        with pytest.raises(CloudsyncError):
            readers(wrong_one)


def test_nothing_is_counted_unasked() -> None:
    """And what counts is not even there."""
    meter = Meter()
    with metered(meter, "put"):
        meter.asked({("none", 404): 1})
    meter.booting(Boot(uuid=WEB, stage="init-local"))
