"""Files of plans and snapshots: nothing else is overwritten, nothing else is taken for one."""

import json
import os
import stat
from pathlib import Path

import pytest

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


def test_a_plan_without_its_hosts_is_stale(cloud: Terminal) -> None:
    file = cloud.folder / "file"
    cloud.write(SPEC + "networks: {default: {subnet: 10.20.0.0/24}}\n")
    cloud.type("plan", "--out", str(file))
    changed(file, plan={**json.loads(file.read_text())["plan"], "hosts": {}})
    typed = cloud.type("apply", "-y", str(file))
    assert typed.code == 3
    assert "host.kvm-1" in typed.err
