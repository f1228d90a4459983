"""A real agent and a small real cloud of blank guests, inside a private machine (tests/lab/private.py)."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cloudsync.agent.parts import end_processes
from tests.effort import PATIENCE
from tests.lab import copied
from tests.lab.copied import Process

DEAF = b"\xfa\xf4"
"""`cli; hlt`: a boot sector that sleeps for ever."""
LISTENING = bytes.fromhex(
    # sti; mov dx, 0x602; mov ax, 0x100; out dx, ax. again: hlt; mov dx, 0x600; in ax, dx; test ah, 1; jz again;
    # mov dx, 0x604; mov ax, 0x2000; out dx, ax; jmp again
    "fb ba0206 b80001 ef f4 ba0006 ed f6c401 74f6 ba0406 b80020 ef ebed"
)
"""A boot sector that sleeps until somebody presses the power button, and turns the machine off then: it asks ACPI's
registers, which SeaBIOS puts at 0x600, eighteen times a second."""

HOST = "  {name}: {{uri: '{uri}',{more} overcommit: {{vcpus: 64}}, reserved: {{memory: 0MiB, disk: 0GiB}}}}"
TINY = {"tiny": "{vcpus: 1, memory: 32MiB, disk: 8MiB}"}
SPEC = """\
version: 1
cloud: lab
{more}hosts:
{hosts}
images:
  blank: {{source: 'file:{image}', format: raw}}
networks:
  default: {{subnet: 10.20.0.0/24}}
flavors:
  {flavors}
keypairs: {{}}
instances:
  {instances}
"""


def blank_image(path: Path, code: bytes = LISTENING) -> Path:
    """A 1 MiB raw disk with that boot sector; a machine on it idles after its firmware."""
    path.write_bytes((code.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0"))
    return path


def blank_cloud(folder: Path, count: int) -> Path:
    """Write a spec of `count` blank guests (box-1, box-2, …) on this machine; returns its path."""
    spec = folder / "cloud.yaml"
    here = HOST.format(name="here", uri="qemu:///system", more="")
    spec.write_text(blank_spec(blank_image(folder / "blank.raw"), count, [here]))
    return spec


def blank_spec(image: Path, count: int, hosts: list[str], fabric: str = "direct") -> str:
    """`count` blank guests on `hosts`, lines made of HOST."""
    return spec_of(image, hosts, {"box": f"{{count: {count}, image: blank, flavor: tiny}}"}, more=f"fabric: {fabric}\n")


def spec_of(
    image: Path, hosts: list[str], instances: Mapping[str, str], flavors: Mapping[str, str] = TINY, more: str = ""
) -> str:
    """A spec of these lines and entries; `more` are lines of its top level."""
    return SPEC.format(
        image=image, hosts="\n".join(hosts), flavors=_entries(flavors), instances=_entries(instances) or "{}", more=more
    )


def _entries(named: Mapping[str, str]) -> str:
    return "\n  ".join(f"{name}: {value}" for name, value in named.items())


@contextmanager
def running_agent(*options: str, module: str = "") -> Iterator[Process]:
    """`cloudsync agent` until the block ends; entered when it says that it is ready. What outlives it is ended too.

    A copy, unless `module` says which one Python is to start.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
    ):
        path = f"{folder}/notify"
        notify.bind(path)
        notify.settimeout(PATIENCE)
        log = Path(folder, "log")
        environment = {**os.environ, "NOTIFY_SOCKET": path}
        agent = _started(module, options, environment, log) if module else copied.agent(options, environment, log)
        try:
            while b"READY=1" not in notify.recv(4096):
                continue
            yield agent
        except TimeoutError:
            raise AssertionError(f"the agent did not get ready:\n{log.read_text(errors='replace')}") from None
        finally:
            agent.terminate()
            agent.wait(PATIENCE)
            end_processes()


def _started(module: str, options: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
    command = [sys.executable, "-m", module, "agent", *options]
    with log.open("w") as said:
        return subprocess.Popen(command, env=environment, stdout=said, stderr=said)
