"""The private machine itself; it can be started inside another one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.effort import PATIENCE
from tests.lab.disk import DISKS

pytestmark = pytest.mark.real

PRIVATE = [sys.executable, str(Path(__file__).with_name("private.py"))]
HEARING = ["env", "--default-signal", *PRIVATE]
"""Whoever runs the tests in the background has them ignore Ctrl-C, and all that they start."""
WHERE_ITS_DISK_IS = "awk '$5 == \"/var/lib/cloudsync\" { path = $4 } END { print path }' /proc/self/mountinfo"


def disk_of(machine: "subprocess.Popen[str]") -> Path:
    """What the machine says is the path on its file system, of which our /var/tmp may be a folder."""
    assert machine.stdout is not None
    found = DISKS.joinpath(*Path(machine.stdout.readline().strip()).parts[-2:])
    assert found.is_dir()
    return found


def said(*command: str) -> str:
    return subprocess.run([*PRIVATE, *command], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(("command", "code"), [("exit 7", 7), ("true", 0), ("kill -KILL $$", 128 + 9)])
def test_the_exit_code_is_the_commands(command: str, code: int) -> None:
    assert subprocess.run([*PRIVATE, "bash", "-c", command]).returncode == code


def test_nothing_of_the_machine_outside_is_in_it() -> None:
    assert said("virsh", "-c", "qemu:///system", "list", "--all", "--name").strip() == ""
    assert said("virsh", "-c", "qemu:///system", "pool-list", "--all", "--name").strip() == ""
    assert said("ip", "-brief", "link").split()[0::4] == ["lo"]
    assert said("ls", "/var/lib/cloudsync") == ""


def test_sysctls_of_the_network_are_its_own() -> None:
    path = Path("/proc/sys/net/ipv4/ip_forward")
    before = path.read_text()
    other = "0" if before.strip() == "1" else "1"
    assert said("bash", "-c", f"echo {other} > {path}; cat {path}").strip() == other
    assert path.read_text() == before


def test_an_uplink_leads_to_a_namespace_outside() -> None:
    routes = said("--uplink", "bash", "-c", "ip route; ip netns exec outside ip -brief address show eth0").splitlines()
    assert routes[0].startswith("default via 198.51.100.2 dev uplink0")
    assert "198.51.100.2/24" in routes[-1]


def test_orphans_are_reaped_at_once() -> None:
    """An orphan that ended is gone as soon as its parent, pid 1, is told: `kill -0` needs no sleep to see it."""
    orphan = "(setsid sleep 0 & echo $!) | { read pid; while kill -0 $pid 2>/dev/null; do :; done; echo gone; }"
    assert said("timeout", "30", "bash", "-c", orphan).strip() == "gone"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_without_traces(number: signal.Signals) -> None:
    # bash itself says it: while a child of bash runs, bash leaves SIGINT to the child.
    script = f"path=$({WHERE_ITS_DISK_IS}); echo $path; exec sleep 1000"
    with subprocess.Popen([*HEARING, "bash", "-c", script], stdout=subprocess.PIPE, text=True) as machine:
        disk = disk_of(machine)
        assert machine.stdout is not None
        assert disk.parent.name.startswith("cloudsync-private.")
        machine.send_signal(number)
        assert machine.stdout.read() == "", "everything that held the pipe is dead"
        assert machine.wait(PATIENCE) == 128 + number
    assert not disk.parent.exists()


def test_a_command_that_does_not_end_is_killed_at_the_second_signal() -> None:
    script = "trap '' TERM; trap 'echo heard' INT; echo ready; while :; do sleep 1000 & wait; done"
    with subprocess.Popen([*HEARING, "bash", "-c", script], stdout=subprocess.PIPE, text=True) as machine:
        assert machine.stdout is not None
        assert machine.stdout.readline() == "ready\n"
        machine.send_signal(signal.SIGINT)
        assert machine.stdout.readline() == "heard\n"
        machine.send_signal(signal.SIGTERM)
        assert machine.wait(PATIENCE) == 128 + signal.SIGKILL


def test_what_a_killed_machine_left_is_removed_by_the_next() -> None:
    script = f"path=$({WHERE_ITS_DISK_IS}); echo $path; exec sleep 1000"
    machines = [subprocess.Popen([*PRIVATE, "bash", "-c", script], stdout=subprocess.PIPE, text=True) for _ in "ab"]
    try:
        dead, alive = map(disk_of, machines)
        machines[0].kill()
        assert machines[0].stdout is not None
        assert machines[0].stdout.read() == "", "all of it died"
        assert dead.is_dir()
        said("true")
        assert not dead.parent.exists()
        assert alive.is_dir()
    finally:
        for machine in machines:
            machine.terminate()
            machine.communicate(timeout=PATIENCE)


def test_what_is_missing_is_said() -> None:
    answer = subprocess.run(PRIVATE, capture_output=True, text=True)
    assert (answer.returncode, answer.stderr) == (2, "usage: private.py [--uplink] CMD [ARGUMENT…]\n")
    answer = subprocess.run([*PRIVATE, "no-such-program"], capture_output=True, text=True)
    assert answer.returncode == 127
    assert "no-such-program: No such file or directory" in answer.stderr
    assert os.geteuid() == 0
