"""What is on the hosts, by their own tools, and what must hold of it whatever struck."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from tests.kill.place import Place
from tests.kill.spec import Cloud

POOL = "/var/lib/cloudsync/pool"
LOOK = f"""
virsh -q list --all --uuid --name
echo --
virsh -q list --state-running --uuid
echo --
virsh -q list --all --autostart --uuid
echo --
for one in /run/libvirt/qemu/*.pid; do
  test -e "$one" && pid=$(cat "$one") && test -e /proc/$pid/stat || continue
  came=$(tr '\\0' ' ' </proc/$pid/cmdline | grep -o -- -incoming)
  name=${{one##*/}} && echo "${{name%.pid}} $pid $(cut -d' ' -f22 /proc/$pid/stat) $came"
done
echo --
cd {POOL} 2>/dev/null && find . -type f -printf "%P\\n"
echo --
ls /sys/class/net
"""
BACKEND = "/machine/peripheral/virtio-disk0/virtio-backend"
START, SIZE = 4 << 20, 64 << 10
"""Where a guest has written: a place that no boot sector is at."""


@dataclass(frozen=True, slots=True)
class Machine:
    """`qemu` is its process, when that began, and whether it came from another host; empty while it is off."""

    name: str
    host: str
    runs: bool
    autostart: bool
    qemu: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """`machines` and `disks` by host and uuid, `rest` what else is in the pools, `taps` the hosts' devices of ours."""

    machines: dict[tuple[str, str], Machine]
    disks: frozenset[tuple[str, str]]
    rest: frozenset[tuple[str, str]]
    taps: frozenset[tuple[str, str]]

    @property
    def by_name(self) -> dict[str, tuple[str, Machine]]:
        """uuid and machine of each name."""
        return {one.name: (uuid, one) for (_, uuid), one in self.machines.items()}


def look(place: Place) -> Found:
    machines: dict[tuple[str, str], Machine] = {}
    disks, rest, taps = set(), set(), set()
    for host in place.hosts:
        listed = [part.splitlines() for part in place.shell(host, LOOK).split("--\n")]
        named, running, starting, processes, files, devices = ([line for line in part if line] for part in listed)
        alive = {words[0]: " ".join(words[1:]) for line in processes if (words := line.split())}
        for line in named:
            uuid, name = line.split(maxsplit=1)
            name = name.strip()
            machines[host, uuid] = Machine(name, host, uuid in running, uuid in starting, alive.get(name, ""))
        for file in files:
            uuid, _, kind = file.partition(".root.")
            (disks.add((host, uuid)) if kind else rest.add((host, file)))
        taps |= {(host, device) for device in devices if device.startswith("cs-") and len(device) == 15}
    return Found(machines, frozenset(disks), frozenset(rest), frozenset(taps))


def nothing_twice(found: Found) -> None:
    """No instance runs on two hosts, or under two names."""
    running = [uuid for (_, uuid), one in found.machines.items() if one.runs]
    assert len(running) == len(set(running)), f"runs twice: {found.machines}"
    names = [one.name for one in found.machines.values() if one.runs]
    assert len(names) == len(set(names)), f"runs twice: {found.machines}"


def as_wanted(place: Place, cloud: Cloud, found: Found) -> None:
    """Each instance once, on its host, in its state, with its disk; and nothing else of ours anywhere."""
    wanted = cloud.names
    assert sorted(one.name for one in found.machines.values()) == sorted(wanted)
    for (host, uuid), one in found.machines.items():
        box = wanted[one.name]
        assert box.host in ("", host), f"{one.name} is on {host}"
        assert one.runs == (box.state == "running"), one
        assert bool(one.qemu) == one.runs, one
        assert one.autostart, f"{one.name} would not start with its host"
        assert (host, uuid) in found.disks, f"{one.name} has no disk"
    assert found.disks == found.machines.keys(), f"disks of nobody: {found.disks - found.machines.keys()}"
    images = {f"image-{sha256((place.folder / f'{name}.raw').read_bytes()).hexdigest()}" for name in cloud.images}
    assert {file for _, file in found.rest} <= images, f"files of nobody: {found.rest}"
    for host in place.hosts:
        cards = sum(
            max(1, len(wanted[one.name].networks)) for (at, _), one in found.machines.items() if at == host and one.runs
        )
        assert len([tap for at, tap in found.taps if at == host]) == cards, f"taps on {host}: {found.taps}"


def write_mark(place: Place, host: str, name: str) -> None:
    """As its guest would: through the running machine's own disk."""
    command = f'qemu-io -d {BACKEND} "write -P 0x5a {START} {SIZE}"'
    script = f"virsh qemu-monitor-command {name} --hmp '{command}'"
    said = place.shell(host, script)
    assert not said.strip(), said


def marked(place: Place, host: str, uuids: Iterable[str]) -> set[str]:
    """Those of `uuids` on whose disks the mark is."""
    read = f"qemu-io -U -r -f qcow2 -c 'read -P 0x5a {START} {SIZE}' {POOL}/$one.root.qcow2 2>&1"
    good = f"case $said in *failed*) ;; *'read {SIZE}/{SIZE}'*) echo $one ;; esac"
    said = place.shell(host, f"for one in {' '.join(uuids)}; do said=$({read}); {good}; done")
    return set(said.split())
