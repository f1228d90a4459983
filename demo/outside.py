"""A machine outside: a network namespace at the end of a veth pair, for which this host routes like for any other."""

import subprocess
from contextlib import suppress

from demo.places import Failure, run

NAME = "cloudsync-demo"
LINK = "csdemo0"
HOST, ADDRESS = "198.51.100.1", "198.51.100.2"


def make(subnet: str) -> None:
    """Make it, with a way to the guests' `subnet` through the host; one that is there is made anew."""
    remove()
    for line in (
        f"ip netns add {NAME}",
        f"ip link add {LINK} type veth peer name eth0 netns {NAME}",
        f"ip address add {HOST}/30 dev {LINK}",
        f"ip link set {LINK} up",
        f"ip -n {NAME} address add {ADDRESS}/30 dev eth0",
        f"ip -n {NAME} link set lo up",
        f"ip -n {NAME} link set eth0 up",
        f"ip -n {NAME} route add {subnet} via {HOST}",
    ):
        run(*line.split(), quiet=True)


def remove() -> None:
    """The link goes with its namespace."""
    for line in (f"ip link delete {LINK}", f"ip netns delete {NAME}"):
        with suppress(Failure):
            run(*line.split(), quiet=True)


def shell(script: str) -> subprocess.Popen[str]:
    """bash over there, its output in a pipe."""
    command = ["ip", "netns", "exec", NAME, "bash", "-c", script]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def fetch(address: str, port: int, seconds: int = 3) -> str:
    """The answer to `GET /`, empty when none comes within `seconds`."""
    script = f"exec 3<>/dev/tcp/{address}/{port}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    with shell(f"timeout {seconds} bash -c {script!r}") as child:
        return child.communicate()[0]
