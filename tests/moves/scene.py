"""A cloud of blank guests on the hosts of a lab: moved by the program, then looked at on every host."""

import os
import subprocess

from cloudsync.model import wire
from cloudsync.model.agent_state import AgentState
from cloudsync.model.flow import Flow
from cloudsync.model.snapshot import Boot
from tests.lab.begun import Begun
from tests.lab.cloud import spec_of
from tests.lab.lab import Hosts
from tests.lab.typed import typed

POOL = "/var/lib/cloudsync/pool"
MIB = 1 << 20
FLAVORS = {
    "tiny": "{vcpus: 1, memory: 32MiB, disk: 32MiB}",
    "wide": "{vcpus: 1, memory: 48MiB, disk: 40MiB}",
    "grown": "{vcpus: 2, memory: 160MiB, disk: 40MiB}",
}
BUSY = "Unbounded"


def on(host: str = "", flavor: str = "tiny", state: str = "running", **disks: str) -> str:
    """An instance in the spec; on any host when none is said. `disks` are sizes by name."""
    placement = f"placement: {{host: {host}}}, " if host else ""
    data = ", ".join(f"{{name: {name}, size: {size}}}" for name, size in disks.items())
    return f"{{image: blank, flavor: {flavor}, {placement}state: {state}, disks: [{data}]}}"


class Scene:
    """`bandwidth` is what the spec says of it when it is written next."""

    def __init__(self, it: Hosts) -> None:
        self.it = it
        self.spec = it.folder / "moves.yaml"
        self.bandwidth = "0"

    def write(self, **boxes: str) -> None:
        hosts = [
            f"  {name}: {{uri: '{self.it.uri(name)}', address: {seat.address}, overcommit: {{vcpus: 64, disk: 64}}}}"
            for name, seat in self.it.seats.items()
        ]
        more = f"migration: {{bandwidth: {self.bandwidth}}}\n"
        self.spec.write_text(spec_of(self.it.folder / "blank.raw", hosts, boxes, FLAVORS, more))

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return typed(self.spec, *words, env=_environment())

    def begin(self, *words: str) -> Begun:
        return Begun(self.spec, *words, env=_environment())

    def begin_move(self) -> Begun:
        """An apply that has begun to move `box`."""
        begun = self.begin("apply", "-y")
        self.heard(begun, "move instance.box")
        return begun

    def heard(self, begun: Begun, start: str) -> None:
        """Wait until it has said a line that begins so."""
        said = []
        for line in begun.stderr:
            said.append(line)
            if line.startswith(start):
                return
        raise AssertionError("".join(said))

    def travels(self, host: str) -> bool:
        """Whether `box` is on its way from there, running."""
        return BUSY in self.it.run(host, "virsh", "domjobinfo", "box", check=False).stdout

    def apply(self, *words: str) -> str:
        done = self.run("apply", "-y", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def settled(self) -> None:
        """The next plan is empty."""
        done = self.run("plan", "--detailed-exitcode")
        assert done.returncode == 0, done.stdout + done.stderr

    def machines(self, host: str) -> dict[str, str]:
        """State by name, of all that libvirt has."""
        lines = self.it.run(host, "virsh", "-q", "list", "--all").stdout.splitlines()
        return {words[1]: words[2].strip() for line in lines if (words := line.split(maxsplit=2))}

    def starting(self, host: str) -> list[str]:
        """Names of those that start with the host."""
        return self.it.run(host, "virsh", "-q", "list", "--all", "--autostart", "--name").stdout.split()

    def uuid(self, host: str, name: str) -> str:
        return self.it.run(host, "virsh", "-q", "domuuid", name).stdout.strip()

    def disks(self, host: str) -> list[str]:
        """UUIDs of the root disks."""
        files = self.it.run(host, "ls", POOL).stdout.split()
        return sorted(file.removesuffix(".root.qcow2") for file in files if file.endswith(".root.qcow2"))

    def data(self, host: str) -> list[str]:
        """Files of data disks."""
        return sorted(file for file in self.it.run(host, "ls", POOL).stdout.split() if file.endswith(".data.qcow2"))

    def write_to(self, host: str, name: str, file: str) -> None:
        """Write to a data disk, as the guest would; the machine `name` is booted anew if it runs."""
        running = self.machines(host)[name] == "running"
        if running:
            self.it.run(host, "virsh", "-q", "destroy", name)
        self.it.run(host, "qemu-io", "-f", "qcow2", "-c", f"write -P 0xa5 {MIB} {MIB}", f"{POOL}/{file}")
        if running:
            self.it.run(host, "virsh", "-q", "start", name)

    def kept(self, host: str, file: str) -> bool:
        """Whether what `write_to` wrote is there."""
        words = ("-U", "-r", "-f", "qcow2", "-c", f"read -P 0xa5 {MIB} {MIB}", f"{POOL}/{file}")
        read = self.it.run(host, "qemu-io", *words)
        return f"{MIB}/{MIB} bytes" in read.stdout and "failed" not in read.stdout + read.stderr

    def fill(self, host: str, name: str, size: int = 64 << 10, start: int = 4 * MIB) -> None:
        """Write to the disk of a machine, that runs or not, as its guest would; it is booted anew if it runs."""
        running = self.machines(host)[name] == "running"
        if running:
            self.it.run(host, "virsh", "-q", "destroy", name)
        self.it.run(host, "qemu-io", "-f", "qcow2", "-c", f"write -P 0x5a {start} {size}", self.disk(host, name))
        if running:
            self.it.run(host, "virsh", "-q", "start", name)

    def holds(self, host: str, name: str, size: int = 64 << 10, start: int = 4 * MIB) -> bool:
        """Whether what `fill` wrote is there, on a disk that has its base."""
        disk = self.disk(host, name)
        base = self.it.run(host, "qemu-img", "info", "-U", disk).stdout
        read = self.it.run(host, "qemu-io", "-U", "-r", "-f", "qcow2", "-c", f"read -P 0x5a {start} {size}", disk)
        return f"backing file: {POOL}/image-" in base and "verification failed" not in read.stdout + read.stderr

    def boots(self, host: str) -> dict[str, Boot]:
        """What the host's agent knows."""
        return dict(wire.load(AgentState, self._ask(host, "GET", "/v1/host")).boots)

    def tell_boot(self, host: str, boot: Boot) -> None:
        self._ask(host, "PUT", f"/v1/instances/{boot.uuid}/boot", wire.dump(boot))

    def address(self, host: str, name: str) -> str:
        document = wire.load(AgentState, self._ask(host, "GET", "/v1/host")).document
        assert document
        return document.instances[name].nics[0].address

    def flows(self, host: str, uuid: str) -> tuple[Flow, ...]:
        return wire.load(tuple[Flow, ...], self._ask(host, "GET", f"/v1/instances/{uuid}/flows"))

    def put_flows(self, host: str, uuid: str, *flows: Flow) -> None:
        self._ask(host, "PUT", f"/v1/instances/{uuid}/flows", wire.dump(flows))

    def _ask(self, host: str, method: str, path: str, body: bytes = b"") -> bytes:
        where = ["--unix-socket", "/run/cloudsync/agent.sock", f"http://agent{path}"]
        command = self.it.inside(host, "curl", "-sf", "-X", method, "--data-binary", "@-", *where)
        return subprocess.run(command, input=body, capture_output=True, check=True).stdout

    def disk(self, host: str, name: str) -> str:
        return f"{POOL}/{self.uuid(host, name)}.root.qcow2"


def _environment() -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1"}
