"""One guest brought up by `cloudsync apply -y --wait` on a private machine, and what is asked of it and its host."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.typed import typed

PATIENCE = 900
"""Seconds for one boot; under software emulation beside other tests it takes minutes."""
PHRASE = "correct-horse-battery-staple"
SMALL = "{vcpus: 1, memory: 512MiB, disk: 4GiB}"
LARGER = "{vcpus: 2, memory: 640MiB, disk: 5GiB}"
SPEC = """\
version: 1
cloud: boot
hosts:
  here: {{uri: 'qemu:///system', reserved: {{memory: 0MiB}}}}
images:
  debian-12: {{source: 'file:{image}', login: debian}}
networks:
  default: {{subnet: 10.20.0.0/24}}
flavors:
  small: {size}
keypairs:
  alice: {key}
security_groups:
  web:
    ingress:
      - {{protocol: tcp, ports: 80, from: any}}
instances:
  web:
    image: debian-12
    flavor: small
    keypairs: [alice]
    security_groups: [web]
    metadata: {{role: web}}
    user_data: |
      #!/bin/sh
      umask 077
      echo {secret} > /root/secret
"""


@dataclass(frozen=True, slots=True)
class Booted:
    """The spec and the private key, under `folder`."""

    folder: Path

    @property
    def spec(self) -> Path:
        return self.folder / "cloud.yaml"

    def write(self, image: Path) -> None:
        """A key pair where `cloudsync ssh` looks for it, and the spec."""
        key = self.folder / "cloudsync" / "keys" / "boot" / "alice"
        key.parent.mkdir(parents=True, mode=0o700)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "alice", "-f", key], check=True)
        public = key.with_name("alice.pub").read_text(encoding="utf-8").strip()
        self.spec.write_text(SPEC.format(image=image, key=public, secret=PHRASE, size=SMALL), encoding="utf-8")

    def enlarge(self) -> None:
        """The flavor, in the spec."""
        self.spec.write_text(self.spec.read_text(encoding="utf-8").replace(SMALL, LARGER), encoding="utf-8")

    def run(self, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """`cloudsync -f SPEC …`, its output captured; `text` is its standard input."""
        environment = {**os.environ, "NO_COLOR": "1", "XDG_DATA_HOME": str(self.folder)}
        return typed(self.spec, *words, env=environment, text=text or "")

    def good(self, *words: str) -> str:
        """What it printed; an AssertionError with all it said when it failed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def apply(self) -> str:
        return self.good("apply", "-y", "--parallelism", "2")

    def drifted(self) -> str:
        """The plan, which must show that something is not as it should be."""
        done = self.run("plan", "--detailed-exitcode")
        assert done.returncode == 2, done.stdout + done.stderr
        assert "Drift" in done.stdout
        return done.stdout

    def settled(self) -> None:
        done = self.run("plan", "--detailed-exitcode")
        assert done.returncode == 0, done.stdout + done.stderr

    def status(self) -> dict[str, Any]:
        """The one instance."""
        found: dict[str, Any] = json.loads(self.good("status", "--format", "json"))["instances"][0]
        return found

    def inside(self, script: str) -> str:
        """What a shell script printed in the guest."""
        done = self.run("ssh", "web", "--", "bash -s", text=script)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def memory(self) -> int:
        """What its kernel has, in KiB."""
        return int(self.inside("awk '/MemTotal/ {print $2}' /proc/meminfo"))


def virsh(*words: str) -> str:
    command = ["virsh", "--connect", "qemu:///system", "--quiet", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def nft(*words: str) -> str:
    return subprocess.run(["nft", *words], capture_output=True, text=True, check=True).stdout
