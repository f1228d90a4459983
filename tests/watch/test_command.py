"""`cloudsync watch` as a process: a screen with keys on a terminal, JSON elsewhere, and how it ends."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from cloudsync.cli.keys import listen
from cloudsync.model.problem import SpecError
from cloudsync.spec.load import load
from tests.cli.terminal import Terminal
from tests.effort import PATIENCE
from tests.lab.eventually import eventually
from tests.watch.watched import SPEC, save

PROGRAM = [sys.executable, "-m", "cloudsync"]


class OnTerminal:
    """The command on a terminal of its own; `until` reads what it draws."""

    def __init__(self, spec: Path, *words: str) -> None:
        self._here, there = pty.openpty()
        command = [*PROGRAM, "-f", str(spec), "watch", *words]
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160", "NO_COLOR": "1"}
        self.process = subprocess.Popen(command, stdin=there, stdout=there, stderr=there, env=environment)
        os.close(there)

    def until(self, text: str) -> str:
        drawn = b""
        # What is read may end in the middle of a character.
        while text not in (shown := re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.decode(errors="ignore"))):
            assert select.select([self._here], [], [], PATIENCE)[0], f"no {text!r} in {shown!r}"
            drawn += os.read(self._here, 4096)
        return shown

    def key(self, key: str) -> None:
        os.write(self._here, key.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._here)


@pytest.fixture
def terminal(spec: Path) -> Iterator[OnTerminal]:
    it = OnTerminal(spec)
    yield it
    it.close()


@pytest.mark.slow
def test_a_key_applies_what_waits_and_another_ends_it(spec: Path, terminal: OnTerminal) -> None:
    terminal.until("in sync")
    save(spec, SPEC.replace("flavor: small", "flavor: other"))
    shown = terminal.until("[a applies what waits  q ends]")
    assert "held: update instance.web (restart)" in shown
    terminal.key("a")
    assert "~ instance.web" in terminal.until("applied: 1 change")
    terminal.until("in sync")
    terminal.key("q")
    assert terminal.process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("sent", "keys"),
    [(b"a", ["a"]), (b"D", ["D"]), (b"\x1b[D", []), (b"\x1bOD", []), (b"\x1bD", []), (b"aD", []), (b"", [])],
)
def test_only_a_key_alone_is_a_key(sent: bytes, keys: list[str]) -> None:
    """The arrow to the left ends with a D."""
    where, there = os.pipe()
    os.write(there, sent)
    os.close(there)
    heard: list[str] = []
    listen(where, Event(), heard.append)
    os.close(where)
    assert heard == keys


def test_a_pipe_that_nobody_writes_to_is_no_spec(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "cloud.yaml")
    with pytest.raises(SpecError) as raised:
        load(tmp_path / "cloud.yaml")
    assert "is not a regular file" in raised.value.problems[0].message


@pytest.mark.slow
def test_a_broken_spec_is_shown_at_its_line(spec: Path, terminal: OnTerminal) -> None:
    terminal.until("in sync")
    save(spec, SPEC.replace("flavor: small", "flavor: smal"))
    assert "cloud.yaml:16:31" in terminal.until("the cloud stays as it is")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_well(spec: Path, number: signal.Signals) -> None:
    command = [*PROGRAM, "-f", str(spec), "watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if json.loads(line)["event"] == "round-ended":
                process.send_signal(number)
                break
        said = [json.loads(line)["event"] for line in process.stdout]
        assert (process.wait(PATIENCE), said[-1:]) == (0, ["ended"])


@pytest.mark.slow
def test_a_reader_that_goes_does_not_end_it(spec: Path) -> None:
    command = [*PROGRAM, "-f", str(spec), "watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        file = spec.parent / ".cloudsync" / "sim" / "h1.json"
        save(spec, SPEC.replace("ports: 80", "ports: 4711"))
        eventually(lambda: file.exists() and "4711" in file.read_text(), True)
        assert process.poll() is None
        process.terminate()
        # The apply may not be over yet.
        assert process.wait(PATIENCE) in (0, 130)
        assert process.stderr.read() == ""


@pytest.mark.parametrize("every", ["0s", "soon", "60"])
def test_an_interval_that_is_none_is_refused(spec: Path, every: str) -> None:
    done = Terminal(spec.parent).type("watch", "--every", every)
    assert (done.code, "--every" in done.err) == (64, True), done.err
