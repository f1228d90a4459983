"""Images, boots and console logs through the real agent process."""

import signal
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from threading import Event

import pytest

from cloudsync.hosts.agent_client import AgentClient
from cloudsync.model import wire
from cloudsync.model.agent_state import ImageDone, RootDisk, Signs
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Image
from cloudsync.model.snapshot import Boot
from tests.agent.documents import UUID, document, empty
from tests.agent.images import boot_disk, qemu_img
from tests.agent.lab import Lab
from tests.agent.shelf import Shelf
from tests.effort import PATIENCE

CONTENT = boot_disk(4 << 20)
DIGEST = sha256(CONTENT).hexdigest()
DONE = ImageDone(sha256=DIGEST, size=len(CONTENT), format="raw", virtual_size=len(CONTENT))
OTHER = "11111111-2222-4333-8444-555555555556"


def image(digest: str = DIGEST, format: str | None = None) -> Image:  # noqa: A002
    return Image(name="debian-12", sha256=digest, source="", format=format)


def put(agent: Lab, source: str | None, wanted: Image | None = None) -> ImageDone:
    return AgentClient(agent.socket, "kvm-1").put_image(wanted or image(), source, lambda _: None)


def names(agent: Lab) -> list[str]:
    """Of all files in the pool, those in folders of it too."""
    return sorted(path.name for path in agent.pool.rglob("*") if path.is_file())


def test_an_image_is_fetched_checked_and_listed(agent: Lab, shelf: Shelf) -> None:
    shelf.content = CONTENT
    said: list[str] = []
    assert agent.client.put_image(image(), shelf.url, said.append) == DONE
    assert said[-1] == "100% of 4 MiB"
    state = agent.client.host()
    assert state.images == {DIGEST: len(CONTENT)}
    assert state.image_info == {DIGEST: DONE}
    path = agent.pool / f"image-{DIGEST}"
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o644
    assert names(agent) == [path.name]


def test_an_image_that_is_there_is_not_fetched_again(agent: Lab, shelf: Shelf) -> None:
    shelf.content = CONTENT
    assert put(agent, shelf.url) == put(agent, shelf.url) == put(agent, None)
    assert shelf.requests == 1


def test_many_who_want_the_same_image_share_one_download(agent: Lab, shelf: Shelf) -> None:
    shelf.content = CONTENT
    come, go = Event(), Event()

    def hold() -> None:
        come.set()
        go.wait(PATIENCE)

    shelf.before = hold
    with ThreadPoolExecutor(5) as pool:
        calls = [pool.submit(put, agent, shelf.url) for _ in range(5)]
        assert come.wait(PATIENCE)
        go.set()
        assert [call.result(PATIENCE) for call in calls] == [DONE] * 5
    assert shelf.requests == 1
    assert shelf.served == len(CONTENT)


def test_an_agent_that_died_while_it_fetched_goes_on_and_lists_nothing_half_made(agent: Lab, shelf: Shelf) -> None:
    shelf.content, shelf.cuts = CONTENT, [2_000_000]
    broke, second = Event(), Event()

    def hold() -> None:
        if shelf.requests == 2:
            broke.set()
            second.wait(PATIENCE)

    shelf.before = hold
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(put, agent, shelf.url)
        assert broke.wait(PATIENCE)
        agent.end(signal.SIGKILL)
        second.set()
        with pytest.raises(HostError):
            call.result(PATIENCE)
    agent.start()
    assert agent.client.host().images == {}
    assert put(agent, shelf.url) == DONE
    assert shelf.ranges[-1] == "bytes=2000000-"


def test_wrong_content_is_refused_and_nothing_is_left(agent: Lab, shelf: Shelf) -> None:
    shelf.content = CONTENT + b"x"
    with pytest.raises(HostError, match=f"kvm-1: .* has SHA-256 {sha256(shelf.content).hexdigest()}, .* says {DIGEST}"):
        put(agent, shelf.url)
    assert names(agent) == []


def test_a_file_that_is_no_disk_is_refused_and_nothing_is_left(agent: Lab, shelf: Shelf) -> None:
    shelf.content = b"<!doctype html><title>Log in</title>"
    digest = sha256(shelf.content).hexdigest()
    with pytest.raises(HostError, match="image debian-12 is a web page"):
        put(agent, shelf.url, image(digest))
    assert names(agent) == []


def test_the_declared_format_is_held_to_also_when_the_image_is_there(agent: Lab, shelf: Shelf) -> None:
    shelf.content = CONTENT
    put(agent, shelf.url)
    with pytest.raises(HostError, match="declared as qcow2 but is raw"):
        put(agent, shelf.url, image(format="qcow2"))


def test_an_upload_is_adopted(agent: Lab) -> None:
    (agent.pool / f"incoming-{DIGEST}").write_bytes(CONTENT)
    assert put(agent, None) == DONE
    assert names(agent) == [f"image-{DIGEST}"]


def test_a_wrong_or_missing_upload_is_refused(agent: Lab, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="nothing was uploaded"):
        put(agent, None)
    upload = agent.pool / f"incoming-{DIGEST}"
    upload.write_bytes(CONTENT[:-1])
    with pytest.raises(HostError, match=f"but the spec says {DIGEST}"):
        put(agent, None)
    assert names(agent) == []
    upload.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HostError, match="is not a file"):
        put(agent, None)


def test_an_upload_with_a_backing_file_is_refused(agent: Lab, tmp_path: Path) -> None:
    base, evil = tmp_path / "base", tmp_path / "evil"
    qemu_img("create", "-f", "raw", base, "1M")
    qemu_img("create", "-f", "qcow2", "-b", base, "-F", "raw", evil, "1M")
    digest = sha256(evil.read_bytes()).hexdigest()
    (agent.pool / f"incoming-{digest}").write_bytes(evil.read_bytes())
    with pytest.raises(HostError, match="stands on a backing file"):
        put(agent, None, image(digest))
    assert names(agent) == []


def test_an_image_goes_unless_a_disk_stands_on_it(agent: Lab) -> None:
    (agent.pool / f"incoming-{DIGEST}").write_bytes(CONTENT)
    put(agent, None)
    disk = agent.pool / f"{UUID}.root.qcow2"
    qemu_img("create", "-f", "qcow2", "-b", agent.pool / f"image-{DIGEST}", "-F", "raw", disk, "8M")
    with pytest.raises(HostError, match=f"{UUID}.root.qcow2 stands on it"):
        agent.client.delete_image(DIGEST)
    assert agent.client.host().disks == {UUID: RootDisk(size=8 << 20, image=DIGEST)}
    disk.unlink()
    agent.client.delete_image(DIGEST)
    agent.client.delete_image(DIGEST)
    assert agent.client.host().images == {}


def test_an_image_on_its_way_is_not_removed(agent: Lab, shelf: Shelf) -> None:
    shelf.content = CONTENT
    come, go = Event(), Event()

    def hold() -> None:
        come.set()
        go.wait(PATIENCE)

    shelf.before = hold
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(put, agent, shelf.url)
        assert come.wait(PATIENCE)
        with pytest.raises(HostError, match="is on its way in"):
            agent.client.delete_image(DIGEST)
        go.set()
        assert call.result(PATIENCE) == DONE


def told(agent: Lab, *boots: Boot) -> None:
    """What the guests say to the metadata service."""
    (agent.parts / "boots").write_bytes(b"".join(wire.dump(boot) + b"\n" for boot in boots))


def test_boots_are_told_as_they_come_until_all_are_done(agent: Lab) -> None:
    seen: list[Boot] = []
    started = Boot(uuid=UUID, stage="init-network", at="2026-01-02T03:04:05Z")
    done = Boot(uuid=UUID, stage="final", finished=True, host_keys=("ssh-ed25519 AAAA",), failures=("scripts-user",))
    other = Boot(uuid=OTHER, finished=True)
    first = Event()

    def look(boot: Boot) -> None:
        seen.append(boot)
        first.set()

    told(agent, started)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(agent.client.boots, {UUID: "web", OTHER: "db"}, look, 30)
        assert first.wait(PATIENCE)
        told(agent, Boot(uuid="00000000-0000-4000-8000-000000000000", finished=True), other, done)
        waiting.result(PATIENCE)
    assert seen == [started, other, done]
    assert agent.client.host().boots[UUID] == done


def test_what_a_machine_wrote_goes_with_it_on_record_or_not(agent: Lab) -> None:
    """One that no document knew is deleted, too."""
    mine, other = (agent.root / "consoles" / f"cloudsync-{uuid}.log" for uuid in (UUID, OTHER))
    rotated = mine.with_name(f"{mine.name}.0")
    strange = mine.with_name("web.log")
    for path in (mine, rotated, other, strange):
        path.write_text("secret")
    for _ in range(2):
        agent.client.forget_console(UUID)
    assert [path.exists() for path in (mine, rotated, other, strange)] == [False, False, True, True]
    with pytest.raises(HostError):
        agent.client.forget_console("../../etc/passwd")


def test_what_a_guest_told_of_its_boot_is_a_sign_that_it_is_back(agent: Lab) -> None:
    """Its ssh port answers nobody: the guest is not there."""
    with pytest.raises(HostError, match="on record"):
        agent.client.signs(UUID)
    agent.client.put_document(document(1), 0)
    assert agent.client.signs(UUID) == Signs()
    booted = Boot(uuid=UUID, stage="modules-final", finished=True)
    told(agent, booted)
    agent.client.boots({UUID: "web"}, lambda _: None, 30)
    assert agent.client.signs(UUID) == Signs(boot=booted)
    agent.client.power_on(UUID)
    assert agent.client.signs(UUID) == Signs(boot=Boot(uuid=UUID))


def test_boots_outlive_the_agent_until_the_machine_is_gone(agent: Lab) -> None:
    done = Boot(uuid=UUID, finished=True, host_keys=("ssh-ed25519 AAAA",))
    told(agent, done)
    agent.client.boots({UUID: "web"}, lambda _: None, 30)
    agent.end()
    agent.start()
    assert agent.client.host().boots == {UUID: done}
    agent.client.put_document(document(1), 0)
    assert agent.client.host().boots == {UUID: done}
    agent.client.put_document(empty(2), 1)
    assert agent.client.host().boots == {}


def test_a_guest_that_never_reports_is_named(agent: Lab) -> None:
    told(agent, Boot(uuid=UUID, finished=True))
    names = {UUID: "web", "642b0474-0000-4000-8000-000000000000": "db", "66318a0d-0000-4000-8000-000000000000": "api"}
    with pytest.raises(HostError, match=r"kvm-1: no end of boot in 0.2 s from api, db$") as caught:
        agent.client.boots(names, lambda _: None, 0.2)
    assert caught.value.hint == "look at `cloudsync logs api`"


def test_waiting_for_nobody_asks_nobody(tmp_path: Path) -> None:
    AgentClient(tmp_path / "no.sock").boots({}, lambda _: None, 1)


def test_who_waits_for_a_boot_hears_that_the_agent_stops(agent: Lab) -> None:
    first = Event()
    told(agent, Boot(uuid=UUID, stage="init"))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(agent.client.boots, {UUID: "web"}, lambda _: first.set(), 30)
        assert first.wait(PATIENCE)
        assert agent.end() == 0
        with pytest.raises(HostError, match="stopped in the middle"):
            waiting.result(PATIENCE)


def test_the_console_log_of_an_instance_that_is_gone_is_forgotten(agent: Lab) -> None:
    log = agent.root / "consoles" / f"cloudsync-{UUID}.log"
    log.write_bytes(b"root's password is swordfish")
    agent.client.put_document(document(), 0)
    assert log.exists()
    agent.client.put_document(empty(2), 1)
    assert not log.exists()


def test_a_console_log_is_read(agent: Lab) -> None:
    log = agent.root / "consoles" / f"cloudsync-{UUID}.log"
    log.write_bytes(b"login: \xff\x1b[2J")
    log.with_name(log.name + ".0").write_bytes(b"Linux\n")
    assert agent.client.console(UUID) == b"Linux\nlogin: \xff\x1b[2J"
    with pytest.raises(HostError, match="no console log"):
        agent.client.console(OTHER)
