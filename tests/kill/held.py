"""What is on the hosts, by their own tools, and what must hold of it whatever struck."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from tests.kill.place import Place
from tests.kill.spec import Cloud

POOL = "/var/lib/cloudsync/pool"
LOOK = f"""
said=$(virsh -q 'list --all --uuid --name; echo "--
"; list --state-running --uuid; echo "--
"; list --all --autostart --uuid; echo "--
"')
echo "$said"
for one in /run/libvirt/qemu/*.pid; do
  test -e "$one" && pid=$(cat "$one") && read -r stat </proc/$pid/stat || continue
  came=$(grep -ao -- -incoming /proc/$pid/cmdline)
  name=${{one##*/}} && set -- $stat && echo "${{name%.pid}} $pid ${{22}} $came"
done
echo --
cd {POOL} 2>/dev/null && find . -type f -printf "%P\\n"
echo --
ls /sys/class/net
echo --
asked=$(echo "$said" | sed -n '/^--$/q; s/^[^ ]* *\\(.*[^ ]\\) *$/echo "@\\1\\n"; domblklist \\1;/p')
test -z "$asked" || virsh -q "$asked" | while read -r device path; do
  case $device in @*) one=${{device#@}} ;; ?*) echo "$one $device ${{path##*/}}" ;; esac
done
"""
"""Starting virsh once is dearer than all that it is asked, and this is asked often."""
BACKEND = "/machine/peripheral/virtio-disk{number}/virtio-backend"
START, SIZE = 4 << 20, 64 << 10
"""Where a guest has written: a place that no boot sector is at."""


@dataclass(frozen=True, slots=True)
class Machine:
    """`qemu` is its process, when that began, and whether it came from another host; empty while it is off. `drives`
    are the names of its disks' files by device."""

    name: str
    host: str
    runs: bool
    autostart: bool
    qemu: str = ""
    drives: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> set[str]:
        """The files of its data disks."""
        return {file for device, file in self.drives.items() if device != "vda"}


@dataclass(frozen=True, slots=True)
class Found:
    """`machines` by host and uuid, `disks` by host and file, `rest` what else is in the pools, `taps` the hosts'
    devices of ours."""

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
    disks: set[tuple[str, str]] = set()
    rest: set[tuple[str, str]] = set()
    taps: set[tuple[str, str]] = set()
    for host in place.hosts:
        listed = [part.splitlines() for part in place.shell(host, LOOK).split("--\n")]
        named, running, starting, processes, files, devices, drives = (
            [line for line in part if line] for part in listed
        )
        alive = {words[0]: " ".join(words[1:]) for line in processes if (words := line.split())}
        for line in named:
            uuid, name = line.split(maxsplit=1)
            name = name.strip()
            held = {device: file for owner, device, file in map(str.split, drives) if owner == name}
            machines[host, uuid] = Machine(name, host, uuid in running, uuid in starting, alive.get(name, ""), held)
        for file in files:
            (disks if file.endswith((".root.qcow2", ".data.qcow2")) else rest).add((host, file))
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
        assert one.autostart == (box.state == "running"), f"{one.name} and its host's next boot: {one.autostart}"
        assert one.drives.get("vda") == root_of(uuid), f"{one.name} has no root disk: {one.drives}"
        assert len(one.data) == len(box.disks), f"{one.name} has other data disks: {one.drives}"
    attached = {(host, file) for (host, _), one in found.machines.items() for file in one.drives.values()}
    assert found.disks == attached, f"disks of nobody, or gone: {found.disks ^ attached}"
    images = {f"image-{sha256((place.folder / f'{name}.raw').read_bytes()).hexdigest()}" for name in cloud.images}
    assert {file for _, file in found.rest} <= images, f"files of nobody: {found.rest}"
    for host in place.hosts:
        cards = sum(
            max(1, len(wanted[one.name].networks)) for (at, _), one in found.machines.items() if at == host and one.runs
        )
        assert len([tap for at, tap in found.taps if at == host]) == cards, f"taps on {host}: {found.taps}"


def root_of(uuid: str) -> str:
    return f"{uuid}.root.qcow2"


def write_mark(place: Place, host: str, name: str, device: str) -> None:
    """As its guest would, flush and all: through one of the running machine's own disks."""
    backend = BACKEND.format(number=ord(device[-1]) - ord("a"))
    commands = (f'qemu-io -d {backend} "{words}"' for words in (f"write -P 0x5a {START} {SIZE}", "flush"))
    said = place.shell(host, "\n".join(f"virsh qemu-monitor-command {name} --hmp '{command}'" for command in commands))
    assert not said.strip(), said


def marked(place: Place, host: str, files: Iterable[str]) -> set[str]:
    """Those of `files` on which the mark is."""
    read = f"qemu-io -U -r -f qcow2 -c 'read -P 0x5a {START} {SIZE}' {POOL}/$one 2>&1"
    good = f"case $said in *failed*) ;; *'read {SIZE}/{SIZE}'*) echo $one ;; esac"
    said = place.shell(host, f"for one in {' '.join(files)}; do said=$({read}); {good}; done")
    return set(said.split())
