"""The spec and the files that it refers to, however they are written: real files, real events."""

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, Queue

import pytest

from cloudsync.model.problem import SpecError
from cloudsync.watch.debounce import GLANCES, QUIET
from cloudsync.watch.files import Files
from cloudsync.watch.trigger import Reason, Trigger
from cloudsync.watch.writing import Writing
from tests.effort import PATIENCE
from tests.spec.spec_text import KEY
from tests.watch.watched import SPEC, save

NAMING = SPEC.replace(
    "security_groups: [default, web]}",
    "security_groups: [default, web], keypairs: [me], user_data: {file: data/init.sh}}",
)
NAMING += "keypairs:\n  me: {public_key_file: key.pub}\n"


class Heard:
    """Who has not closed a file is waited for as long as it takes."""

    def __init__(self, spec: Path, writing: Writing | None = None) -> None:
        self.files = Files(spec, writing or Writing(still=PATIENCE, most=PATIENCE), PATIENCE)
        self._heard: Queue[Trigger] = Queue()
        self.files.begin(self._heard.put)

    def next(self) -> Trigger:
        return self._heard.get(timeout=PATIENCE)

    def still(self) -> None:
        """Nothing is told for longer than what was closed has to rest."""
        with pytest.raises(Empty):
            self._heard.get(timeout=5 * (GLANCES[0] + QUIET))

    def nothing(self, spec: Path) -> None:
        """Nothing was told before what is told now."""
        with pytest.raises(Empty):
            self._heard.get_nowait()
        save(spec, spec.read_text() + "# a mark\n")
        assert self.next() == Trigger(Reason.SAVE, spec.name)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "key.pub").write_text(KEY + "\n")
    (tmp_path / "data" / "init.sh").write_text("#!/bin/sh\n")
    (tmp_path / "cloud.yaml").write_text(NAMING)
    # Of what was written while the spec was read nobody knows which half was read.
    for file in (tmp_path / "key.pub", tmp_path / "data" / "init.sh"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    return tmp_path / "cloud.yaml"


@pytest.fixture
def heard(spec: Path) -> Iterator[Heard]:
    it = Heard(spec)
    it.files.load()
    yield it
    it.files.end()


def test_a_save_by_renaming(spec: Path, heard: Heard) -> None:
    save(spec, NAMING + "# x\n")
    assert heard.next() == Trigger(Reason.SAVE, "cloud.yaml")


def test_a_save_in_place(spec: Path, heard: Heard) -> None:
    spec.write_text(NAMING + "# x\n")
    assert heard.next().detail == "cloud.yaml"


def half(text: str) -> tuple[str, str]:
    """Cut where the first half says something by itself."""
    first, rest = text.split("keypairs:\n")
    return first, "keypairs:\n" + rest


def test_what_is_half_written_is_not_told_before_it_is_closed(spec: Path, heard: Heard) -> None:
    first, rest = half(NAMING)
    with spec.open("w") as file:
        file.write(first)
        file.flush()
        heard.still()
        file.write(rest + "# x\n")
    assert heard.next().detail == "cloud.yaml"
    heard.nothing(spec)


def test_what_is_half_written_behind_a_link_is_not_told_either(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "real.yaml").write_text(SPEC)
    (tmp_path / "one" / "cloud.yaml").symlink_to("real.yaml")
    (tmp_path / "now").symlink_to("one")
    for written in (tmp_path / "now" / "cloud.yaml", tmp_path / "one" / "real.yaml"):
        it = Heard(tmp_path / "now" / "cloud.yaml")
        try:
            with written.open("w") as file:
                file.write(SPEC + "# x\n")
                file.flush()
                it.still()
            assert it.next().detail == "cloud.yaml"
        finally:
            it.files.end()


def test_one_that_is_made_and_not_filled_yet_is_not_told(spec: Path, heard: Heard) -> None:
    key = spec.with_name("key.pub")
    key.unlink()
    assert heard.next().detail == "key.pub"
    with key.open("w") as file:
        heard.still()
        file.write(KEY + "\n")
    assert heard.next().detail == "key.pub"
    heard.nothing(spec)


def test_others_do_not_wait_for_one_that_is_being_written(spec: Path, heard: Heard) -> None:
    with spec.with_name("key.pub").open("a") as file:
        file.write("# x\n")
        file.flush()
        save(spec, NAMING + "# x\n")
        assert heard.next().detail == "cloud.yaml"
    assert heard.next().detail == "key.pub"


def test_one_that_stays_open_is_told_once_it_is_still(spec: Path) -> None:
    it = Heard(spec, Writing(still=0.1))
    try:
        it.files.load()
        with spec.open("a") as file:
            file.write("# x\n")
            file.flush()
            assert it.next().detail == "cloud.yaml"
    finally:
        it.files.end()


def test_a_round_that_begins_for_something_else_waits_for_who_is_writing_the_spec(spec: Path, heard: Heard) -> None:
    first, rest = half(NAMING)
    with ThreadPoolExecutor(1) as worker, spec.open("w") as file:
        file.write(first)
        file.flush()
        heard.files.stir(str(spec), True)
        loading = worker.submit(heard.files.load)
        with pytest.raises(TimeoutError):
            loading.result(0.1)
        file.write(rest)
        file.close()
        assert loading.result(PATIENCE).keypairs


def test_an_editor_that_moves_the_old_one_aside(spec: Path, heard: Heard) -> None:
    spec.rename(spec.with_name("cloud.yaml~"))
    spec.write_text(NAMING + "# x\n")
    assert heard.next().detail == "cloud.yaml"


@pytest.mark.parametrize("name", ["key.pub", "data/init.sh"])
def test_a_file_that_the_spec_names(spec: Path, heard: Heard, name: str) -> None:
    file = spec.with_name(name) if "/" not in name else spec.parent / name
    save(file, file.read_text() + "# x\n")
    assert heard.next().detail == file.name


def test_other_files_and_reading_are_no_news(spec: Path, heard: Heard) -> None:
    spec.with_name("notes.txt").write_text("x")
    heard.files.load()
    heard.nothing(spec)


def test_a_file_that_appears_later_in_a_folder_that_appears_later(spec: Path, heard: Heard) -> None:
    save(spec, NAMING.replace("data/init.sh", "more/of/it.sh"))
    heard.next()
    with pytest.raises(SpecError):
        heard.files.load()
    (spec.parent / "more" / "of").mkdir(parents=True)
    (spec.parent / "more" / "of" / "it.sh").write_text("#!/bin/sh\n")
    assert heard.next().detail == "it.sh"
    heard.files.load()


def test_what_the_spec_no_longer_names_is_no_news(spec: Path, heard: Heard) -> None:
    save(spec, NAMING.replace("{file: data/init.sh}", "'#!/bin/sh'"))
    heard.next()
    heard.files.load()
    (spec.parent / "data" / "init.sh").write_text("#!/bin/sh\necho\n")
    heard.nothing(spec)


def test_a_spec_that_cannot_be_read_keeps_its_files(spec: Path, heard: Heard) -> None:
    save(spec, NAMING + "  : broken\n")
    heard.next()
    with pytest.raises(SpecError):
        heard.files.load()
    (spec.parent / "key.pub").write_text(KEY + " me\n")
    assert heard.next().detail == "key.pub"


def test_a_folder_that_is_taken_away_and_made_again(spec: Path, heard: Heard) -> None:
    data = spec.parent / "data"
    data.rename(spec.parent / "away")
    assert heard.next().detail == "init.sh"
    data.mkdir()
    (data / "init.sh").write_text("#!/bin/sh\necho 1\n")
    assert heard.next().detail == "init.sh"
    save(data / "init.sh", "#!/bin/sh\necho 2\n")
    assert heard.next().detail == "init.sh"


def test_the_folder_of_the_spec_itself_is_renamed_and_another_takes_its_place(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "cloud.yaml").write_text(SPEC)
    it = Heard(repo / "cloud.yaml")
    try:
        it.files.load()
        repo.rename(tmp_path / "old")
        assert it.next().detail == "cloud.yaml"
        repo.mkdir()
        (repo / "cloud.yaml").write_text(SPEC + "# more\n")
        assert it.next().detail == "cloud.yaml"
        save(repo / "cloud.yaml", SPEC + "# still more\n")
        assert it.next().detail == "cloud.yaml"
    finally:
        it.files.end()


def test_one_that_was_written_while_it_was_read_is_read_again(spec: Path) -> None:
    it = Heard(spec)
    try:
        (spec.parent / "key.pub").write_text(KEY + " me\n")
        it.files.load()
        assert it.next().detail == "key.pub"
    finally:
        it.files.end()


def test_a_link_that_is_turned(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cloud.yaml").write_text(SPEC + f"# {name}\n")
    (tmp_path / "now").symlink_to("one")
    it = Heard(tmp_path / "now" / "cloud.yaml")
    try:
        it.files.load()
        subprocess.run(["ln", "-sfn", "two", tmp_path / "now"], check=True)
        assert it.next().detail == "cloud.yaml"
        save(tmp_path / "two" / "cloud.yaml", SPEC + "# more\n")
        assert it.next().detail == "cloud.yaml"
    finally:
        it.files.end()
