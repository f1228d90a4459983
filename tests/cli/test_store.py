"""Files of plans and snapshots: nothing else is overwritten, nothing else is taken for one."""

import json
import os
import stat
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from cloudsync.cli.seal import seal
from tests.cli.terminal import Terminal

SPEC = "version: 1\ncloud: demo\nhosts: {kvm-1: {uri: 'sim:'}}\n"
KINDS = {"plan": ("plan", "--out"), "snapshot": ("status", "--save")}
READERS = {"plan": ("apply", "-y"), "snapshot": ("plan", "--snapshot")}


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    terminal.write(SPEC)
    return terminal


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [SPEC, "{}", '{"format_version":1}', '{"format_version":', "notes\n", '"plan"'])
def test_another_file_is_not_overwritten(cloud: Terminal, kind: str, text: str) -> None:
    file = cloud.folder / "file"
    file.write_text(text)
    typed = cloud.type(*KINDS[kind], str(file))
    assert typed.code == 1
    assert f"is not a saved {kind}" in typed.err
    assert file.read_text() == text


@pytest.mark.parametrize("kind", KINDS)
def test_the_spec_is_not_overwritten_through_a_link(cloud: Terminal, kind: str) -> None:
    link = cloud.folder / "link"
    link.symlink_to("cloud.yaml")
    assert cloud.type(*KINDS[kind], str(link)).code == 1
    assert cloud.type(*KINDS[kind], str(cloud.spec)).code == 1
    assert cloud.spec.read_text() == SPEC
    assert link.is_symlink()


@pytest.mark.parametrize("kind", KINDS)
def test_no_device_no_folder_and_no_pipe_is_written_to(cloud: Terminal, kind: str) -> None:
    os.mkfifo(cloud.folder / "pipe")
    for place in ("/dev/null", str(cloud.folder), str(cloud.folder / "pipe"), "/proc/nothing/x", f"{cloud.spec}/x"):
        typed = cloud.type(*KINDS[kind], place)
        assert typed.code == 1
        assert place in typed.err


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_its_own_and_an_empty_one_are_replaced_whole(cloud: Terminal, kind: str) -> None:
    file, link = cloud.folder / "file", cloud.folder / "link"
    file.touch()
    link.symlink_to("file")
    assert cloud.type(*KINDS[kind], str(link)).code == 0
    first = file.stat()
    assert stat.S_IMODE(first.st_mode) == 0o600
    assert cloud.type(*KINDS[kind], str(file)).code == 0
    assert file.stat().st_ino != first.st_ino, "it was written in place"
    assert sorted(path.name for path in cloud.folder.iterdir() if "file" in path.name) == ["file"]
    assert cloud.type(*READERS[kind], str(file)).code == 0


def changed(file: Path, **fields: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


@pytest.mark.parametrize("kind", KINDS)
def test_another_version_is_refused_by_its_number(cloud: Terminal, kind: str) -> None:
    file = cloud.folder / "file"
    cloud.type(*KINDS[kind], str(file))
    file.write_text(file.read_text().replace('{"format_version":1', '{"format_version":99', 1))
    typed = cloud.type(*READERS[kind], str(file))
    assert typed.code == 1
    assert "format version 99" in typed.err


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text", ["{}", "", "[]", '{"format_version":1}', '{"format_version":1,"plan":{}}', "version: 1"]
)
def test_what_is_no_such_file_is_refused(cloud: Terminal, kind: str, text: str) -> None:
    file = cloud.folder / "file"
    file.write_text(text)
    typed = cloud.type(*READERS[kind], str(file))
    assert typed.code == 1
    assert f"is not a saved {kind}" in typed.err


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_a_pipe_and_a_folder_are_not_read(cloud: Terminal, kind: str) -> None:
    """A device may have no end, and a pipe that nobody writes to no beginning."""
    os.mkfifo(cloud.folder / "pipe")
    for place, said in {
        "/dev/zero": "is not a regular file",
        str(cloud.folder / "pipe"): "is not a regular file",
        str(cloud.folder): "is a directory",
    }.items():
        typed = cloud.type(*READERS[kind], place)
        assert (typed.code, said in typed.err) == (1, True), typed.err


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_is_too_large_is_not_read(cloud: Terminal, kind: str) -> None:
    file = cloud.folder / "file"
    file.touch()
    os.truncate(file, 1 << 40)
    typed = cloud.type(*READERS[kind], str(file))
    assert (typed.code, "holds more than" in typed.err) == (1, True), typed.err


@pytest.mark.parametrize("kind", KINDS)
def test_what_another_program_writes_into_a_pipe_is_read(cloud: Terminal, kind: str) -> None:
    file, pipe = cloud.folder / "file", cloud.folder / "pipe"
    cloud.type(*KINDS[kind], str(file))
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", 'exec cat "$1" >"$2"', "sh", str(file), str(pipe)]):
        end = os.open(pipe, os.O_RDONLY)
        typed = cloud.type(*READERS[kind], f"/dev/fd/{end}")
        os.close(end)
    assert typed.code == 0, typed.err


def test_a_plan_without_its_hosts_is_stale(cloud: Terminal) -> None:
    file = cloud.folder / "file"
    cloud.write(SPEC + "networks: {default: {subnet: 10.20.0.0/24}}\n")
    cloud.type("plan", "--out", str(file))
    plan = {**json.loads(file.read_text())["plan"], "hosts": {}}
    changed(file, plan=plan, seal=asdict(seal(json.dumps(plan).encode(), "plan", None)))
    typed = cloud.type("apply", "-y", str(file))
    assert typed.code == 3
    assert "host.kvm-1" in typed.err


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_changed_by_hand_is_refused(cloud: Terminal, kind: str) -> None:
    file = cloud.folder / "file"
    cloud.type(*KINDS[kind], str(file))
    text = file.read_text()
    assert cloud.type(*READERS[kind], str(file)).code == 0
    file.write_text(text.replace("kvm-1", "kvm-2"))
    typed = cloud.type(*READERS[kind], str(file))
    assert (typed.code, "was changed after it was saved" in typed.err) == (1, True)


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_one_of_the_allowed_has_signed_is_taken_where_they_are_named(cloud: Terminal, kind: str) -> None:
    for name in ("ann", "bob"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(cloud.folder / name)]
        subprocess.run(command, check=True)
    allowed, file = cloud.folder / "allowed", str(cloud.folder / "file")
    allowed.write_text(f"ann@example.org {(cloud.folder / 'ann.pub').read_text()}")
    only = ("--allowed-signers", str(allowed))
    cases: dict[str | None, tuple[int, str]] = {
        "ann": (0, ""),
        "bob": (1, "signed by nobody of"),
        None: (1, "is not signed"),
    }
    for who, (code, said) in cases.items():
        key = ("--sign", str(cloud.folder / who)) if who else ()
        assert cloud.type(*KINDS[kind], file, *key).code == 0
        typed = cloud.type(*READERS[kind], file, *only)
        assert (typed.code, said in typed.err) == (code, True), typed.err


@pytest.mark.parametrize("kind", KINDS)
def test_who_may_sign_is_said_by_a_file(cloud: Terminal, kind: str) -> None:
    key, file, pipe = cloud.folder / "key", str(cloud.folder / "file"), cloud.folder / "pipe"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    assert cloud.type(*KINDS[kind], file, "--sign", str(key)).code == 0
    os.mkfifo(pipe)
    for place, said in {
        pipe: "pipe is not a regular file",
        cloud.folder: f"{cloud.folder} is a folder",
        cloud.folder / "none": "none: there is no such file",
    }.items():
        typed = cloud.type(*READERS[kind], file, "--allowed-signers", str(place))
        assert (typed.code, said in typed.err) == (1, True), typed.err
    typed = cloud.type(*KINDS[kind], file, "--sign", str(pipe))
    assert (typed.code, "pipe is not a regular file" in typed.err) == (1, True), typed.err


def test_a_signature_is_of_one_file_and_for_one_purpose(cloud: Terminal) -> None:
    key, allowed = cloud.folder / "key", cloud.folder / "allowed"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed.write_text(f"ann {key.with_suffix('.pub').read_text()}")
    plan, snapshot = cloud.folder / "plan", cloud.folder / "snapshot"
    cloud.type("plan", "--out", str(plan), "--sign", str(key))
    cloud.type("status", "--save", str(snapshot), "--sign", str(key))
    signature = json.loads(snapshot.read_text())["seal"]["signature"]
    sealed = json.loads(plan.read_text())
    plan.write_text(json.dumps({**sealed, "seal": {**sealed["seal"], "signature": signature}}, separators=(",", ":")))
    typed = cloud.type("apply", "-y", str(plan), "--allowed-signers", str(allowed))
    assert (typed.code, "the signature is not of what is in it" in typed.err) == (1, True)


@pytest.mark.parametrize(
    ("key", "said"), [("nowhere", "there is no such key"), ("cloud.yaml", "cannot sign"), ("locked", "cannot sign")]
)
def test_a_key_that_cannot_sign_is_said_and_nothing_is_saved(cloud: Terminal, key: str, said: str) -> None:
    locked = str(cloud.folder / "locked")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "swordfish", "-f", locked], check=True)
    typed = cloud.type("plan", "--out", str(cloud.folder / "file"), "--sign", str(cloud.folder / key))
    assert (typed.code, said in typed.err) == (1, True)
    assert not (cloud.folder / "file").exists()
