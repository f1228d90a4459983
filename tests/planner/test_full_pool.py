"""What has to stay free in a pool: the plan knows it, and so do both ways by which an image arrives."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Event

import pytest

from cloudsync.agent.pool import Pool
from cloudsync.agent.take_in import Wish, take_in
from cloudsync.hosts.sim import SimHost
from cloudsync.hosts.sim_state import IMAGE_SIZE
from cloudsync.model.cloud import Cloud, Host
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Snapshot, Usage
from cloudsync.model.spare import SPARE, shortage
from cloudsync.model.step import PutImage
from cloudsync.scheduler.room import limit
from tests.laws.fleet import Fleet, decide
from tests.planner.build import GIB, MIB, cloud, image, instance
from tests.planner.test_changes import settled

ONE = cloud(instance("web"))
DEBIAN = ONE.images["debian"]


def seen(wanted: Cloud, **free: int) -> Snapshot:
    """Empty hosts, with so much free in the pools of `free`."""
    found = Fleet().observe(wanted)
    hosts = {
        name: replace(host, free=free.get(name.replace("-", "_"), host.free)) for name, host in found.hosts.items()
    }
    return Snapshot(hosts=hosts)


def test_the_rule_gives_its_numbers() -> None:
    assert shortage(MIB, SPARE + MIB) == ""
    assert shortage(MIB, SPARE + MIB - 1) == "the image needs 1 MiB more and 64 MiB must stay free, free are 65 MiB"
    assert shortage(0, 10 * MIB) == "64 MiB must stay free, free are 10 MiB"


def test_an_instance_goes_where_its_image_can_come_in() -> None:
    made = decide(ONE, seen(ONE, kvm_1=SPARE - 1)).plan
    (placed,) = made.placements
    assert placed.host == "kvm-2"
    assert placed.refusals["kvm-1"] == "its pool is too full for image.debian: 64 MiB must stay free, free are 64 MiB"


def test_a_file_whose_size_is_known_has_to_fit_whole() -> None:
    known = replace(ONE, image_sizes={DEBIAN.sha256: 2 * GIB})
    made = decide(known, seen(known, kvm_1=2 * GIB, kvm_2=2 * GIB)).plan
    (homeless,) = made.unplaced
    why = "its pool is too full for image.debian: the image needs 2 GiB more and 64 MiB must stay free, free are 2 GiB"
    assert set(homeless.refusals.values()) == {why}
    assert decide(known, seen(known, kvm_1=2 * GIB + SPARE, kvm_2=0)).plan.placements[0].host == "kvm-1"


def test_what_is_there_or_on_its_way_has_its_room() -> None:
    """What of it has come already is not known."""
    for there in ({"images": {DEBIAN.sha256: MIB}}, {"partial": frozenset({DEBIAN.sha256})}):
        found = seen(ONE, kvm_1=0, kvm_2=0)
        hosts = {name: replace(host, **there) for name, host in found.hosts.items()}
        assert decide(ONE, Snapshot(hosts=hosts)).plan.unplaced == ()


def test_of_what_stays_where_it_is_the_plan_warns() -> None:
    """What goes may make room, and nobody can tell before."""
    pinned = cloud(instance("web"), hosts=("kvm-1",))
    fleet = settled(pinned)
    found = fleet.observe(pinned)
    full = Snapshot(hosts={name: replace(host, free=10 * MIB) for name, host in found.hosts.items()})
    assert decide(pinned, full).plan.warnings == ()
    other = replace(pinned, images={"debian": image("debian", "2")})
    said = "host.kvm-1: its pool is too full for image.debian as it is now: 64 MiB must stay free, free are 10 MiB"
    assert decide(other, full).plan.warnings == (said,)


def test_what_stays_free_is_no_room_for_disks_either() -> None:
    state = Fleet().observe(ONE).hosts["kvm-1"]
    plain, kept = (Host(name="kvm-1", uri="sim:", reserved=Usage(disk=disk)) for disk in (0, 1 << 30))
    assert limit(plain, state).disk == state.capacity.disk - SPARE
    assert limit(kept, state).disk == state.capacity.disk - (1 << 30)


def test_a_simulated_host_refuses_as_a_real_one_does() -> None:
    step = PutImage(id="image", host="h", address="image.debian", image=DEBIAN)
    tight = SimHost("h", f"sim:?disk={SPARE / MIB + 0.5}MiB", None)
    assert tight.observe().free == SPARE + MIB // 2
    with pytest.raises(HostError, match="must stay free"):
        tight.perform(step, {}, print)
    SimHost("h", f"sim:?disk={(SPARE + IMAGE_SIZE) / MIB}MiB", None).perform(step, {}, print)


class Full(Pool):
    def free(self) -> int:
        return SPARE - 1


@pytest.fixture
def upload(tmp_path: Path) -> Iterator[Wish]:
    content = bytes(4096)
    digest = sha256(content).hexdigest()
    Pool(tmp_path).incoming(digest).write_bytes(content)
    yield Wish(name="tiny", sha256=digest, source=None, format="raw")


def test_an_upload_is_held_to_it_like_a_download(tmp_path: Path, upload: Wish) -> None:
    with pytest.raises(HostError, match="is full: 64 MiB must stay free"):
        take_in(Full(tmp_path), upload, print, Event())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
