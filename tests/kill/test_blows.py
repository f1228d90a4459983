"""Who is struck: a daemon by what it runs, and nobody for an argument that reads like one."""

import subprocess
import sys

from tests.kill.blows import running

SLEEP = "import sys; print(flush=True); sys.stdin.read()"


def test_an_argument_is_no_daemon() -> None:
    words = [sys.executable, "-c", SLEEP, "-q", "--ignore=tests/dnsmasq", "libvirtd", "cloudsync", "agent"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        struck = {pid for name in ("dnsmasq", "libvirtd", "agent", "metadata") for pid in running(name)}
        other.communicate()
    assert other.pid not in struck
