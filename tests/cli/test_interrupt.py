"""Ctrl-C before a command has changed anything: one word, and the code for it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.effort import PATIENCE
from tests.lab.eventually import eventually

pytestmark = pytest.mark.slow

EARLY = "import sys; sys.path.insert(0, sys.argv[1]); from cloudsync.__main__ import run; run()"
LATER = """
import sys
from cloudsync.cli.end import code_of

def command():
    print("begun", flush=True)
    sys.stdin.read()

sys.exit(code_of(command))
"""


READING = """
import os, sys, threading
from cloudsync.cli.main import main

spec = f"{sys.argv[1]}/cloud.yaml"
os.mkfifo(spec)

def write():
    with open(spec, "w"):
        print("begun", flush=True)
        threading.Event().wait()

threading.Thread(target=write).start()
main(["-f", spec, "validate"])
"""
"""In the middle of a command, and beside it a thread that does not end."""


@pytest.mark.parametrize("program", [EARLY, LATER, READING])
def test_it_says_so_and_ends_with_130(tmp_path: Path, program: str) -> None:
    (tmp_path / "typer.py").write_text("print('begun', flush=True)\nimport sys\nsys.stdin.read()\n")
    # Whoever runs the tests in the background has them ignore Ctrl-C, and all that they start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        words = [sys.executable, "-c", program, str(tmp_path)]
        pipe = subprocess.PIPE
        with subprocess.Popen(words, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as typed:
            assert typed.stdout
            assert typed.stdout.readline() == "begun\n"
            # A signal between the interpreter's last look and the system call would be noticed after that alone.
            eventually(lambda: "pipe_read" in Path(f"/proc/{typed.pid}/wchan").read_text(), True)
            typed.send_signal(signal.SIGINT)
            try:
                _, err = typed.communicate(timeout=PATIENCE)
            finally:
                typed.kill()
    finally:
        signal.signal(signal.SIGINT, before)
    assert (typed.returncode, err) == (130, "interrupted\n")
