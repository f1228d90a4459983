"""`make lab` and what goes with it: `python -m tests.lab.play up [COUNT [UNDERLAY]] | stop HOST | start HOST | down`.

The lab lies in build/lab and runs until `down`. Needs root; its files are given to the person who became root by sudo.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from tests.lab.copied import TOP
from tests.lab.lab import Hosts
from tests.lab.underlay import KINDS, MOST

FOLDER = TOP / "build" / "lab"


class Refused(Exception):
    """What is wrong, and the way out."""


def main(words: list[str], folder: Path = FOLDER) -> int:
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
    verbs: dict[str, Callable[..., None]] = {"up": _up, "stop": _stop, "start": _start, "down": _down}
    try:
        verbs[words[0]](folder, *words[1:])
    except (Refused, RuntimeError, subprocess.CalledProcessError) as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _up(folder: Path, count: str = "3", underlay: str = "flat") -> None:
    if not (count.isascii() and count.isdigit() and 1 <= int(count) <= MOST) or underlay not in KINDS:
        raise Refused(f"make lab HOSTS={count} UNDERLAY={underlay}: 1 to {MOST} hosts, {' or '.join(KINDS)}")
    if Hosts.found(folder):
        raise Refused("there is a lab already\nhint: make lab-down")
    folder.mkdir(parents=True, exist_ok=True)
    began = monotonic()
    it = Hosts(folder, int(count), underlay)
    try:
        it.up()
    except BaseException:
        it.down()
        raise
    _give(it)
    spec = os.path.relpath(folder / "cloud.yaml")
    names = f"{', '.join(it.names)} {'is' if len(it.names) == 1 else 'are'} up"
    _say(f"{names} ({monotonic() - began:.0f} s), as {spec} has them. Try next:")
    _say(f"  .venv/bin/cloudsync -f {spec} apply")
    _say(f"  virsh -c '{it.uri(it.names[0])}' list")
    _say(f"  {' '.join(it.ssh(it.names[0]))}")
    _say(f"  sudo ip netns exec {it.underlay.outside.name} ping {it.underlay.hosts[0].address}")
    _say(f"  make lab-stop HOST={it.names[-1]}; make lab-start HOST={it.names[-1]}; make lab-down")


def _give(it: Hosts) -> None:
    owner, group = (int(os.environ.get(name, "0")) for name in ("SUDO_UID", "SUDO_GID"))
    it.keys.give(owner, group)
    for path in (it.folder, it.folder / "cloud.yaml", it.folder / "blank.raw"):
        os.chown(path, owner, group)


def _stop(folder: Path, name: str = "") -> None:
    _one(folder, name).stop(name)
    _say(f"{name} is off")


def _start(folder: Path, name: str = "") -> None:
    _one(folder, name).start(name)
    _say(f"{name} is up")


def _one(folder: Path, name: str) -> Hosts:
    it = Hosts.found(folder)
    if it is None:
        raise Refused("there is no lab\nhint: make lab")
    if name not in it.names:
        raise Refused(f"there is no host {name!r} in the lab\nhint: HOST= one of {', '.join(it.names)}")
    return it


def _down(folder: Path) -> None:
    it = Hosts.found(folder)
    if it is None:
        _say("there is no lab")
        return
    it.down()
    shutil.rmtree(folder)
    _say("nothing of the lab is left")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
