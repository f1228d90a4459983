"""A connection of which nothing is asked for a while, as when a person reads a plan: libvirtd must not give it up."""

import subprocess
import sys

import pytest

from tests.lab.machine import KEEPALIVE

pytestmark = [pytest.mark.real, pytest.mark.slow]

# In a process of its own: in this one somebody may have waited for an event already.
_IDLE = """
import sys, time
from cloudsync.hosts.libvirt.connection import Connection
there = Connection("here", "qemu:///system").raw
time.sleep(float(sys.argv[1]))
print(there.numOfDomains())
"""


def test_it_outlasts_a_libvirtd_that_asks_whether_it_lives() -> None:
    interval, count = KEEPALIVE
    idle = str(interval * (count + 1) + 2)
    done = subprocess.run([sys.executable, "-c", _IDLE, idle], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
