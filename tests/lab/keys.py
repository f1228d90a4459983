"""The lab's own ssh: keys, known hosts and a client that knows them, all in one folder, and URIs that name them.

libvirt's `ssh` transport takes a `keyfile` but no `known_hosts`, which its other ssh transports take: it runs the
`command`, a client that reads nothing of the person's.
"""

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from tests.lab.underlay import Seat

CONFIG = """\
Host *
  IdentityFile "{key}"
  IdentitiesOnly yes
  UserKnownHostsFile "{known_hosts}"
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  BatchMode yes
"""
# OpenSSH's first choice of key exchange takes a quarter of a second of a busy processor, and nobody listens here.
SERVER = """\
Port 22
HostKey "{key}"
AuthorizedKeysFile "{authorized}"
AuthenticationMethods publickey
PermitRootLogin yes
StrictModes no
UsePAM {pam}
UseDNS no
KexAlgorithms curve25519-sha256
PrintMotd no
MaxStartups 100
MaxSessions 100
SetEnv PATH={path} LIBVIRT_DEFAULT_URI=qemu:///system
"""


@dataclass(frozen=True, slots=True)
class Keys:
    """`client` is the ssh to call: it needs no options."""

    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "key"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def client(self) -> Path:
        return self.folder / "ssh"

    def make(self) -> None:
        self.folder.mkdir(parents=True)
        _generate(self.key, "lab")
        self.known_hosts.touch()
        config = self.folder / "config"
        config.write_text(CONFIG.format(key=self.key, known_hosts=self.known_hosts))
        self.client.write_text(f'#!/bin/sh\nexec ssh -F {shlex.quote(str(config))} "$@"\n')
        self.client.chmod(0o755)

    def serve(self, seat: Seat, folder: Path, path: str) -> None:
        """A host key and sshd's configuration in the host's `folder`, and the key among the known ones."""
        key = folder / "ssh_host_key"
        _generate(key, seat.name)
        public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
        with self.known_hosts.open("a") as file:
            file.write(f"{seat.address} {public}\n")
        authorized = self.key.with_suffix(".pub")
        (folder / "sshd_config").write_text(SERVER.format(key=key, authorized=authorized, path=path, pam=_pam()))

    def uri(self, seat: Seat) -> str:
        files = {"command": self.client, "keyfile": self.key, "known_hosts": self.known_hosts}
        return f"qemu+ssh://root@{seat.address}/system?{urlencode(files, quote_via=quote, safe='/')}"

    def give(self, owner: int, group: int) -> None:
        """To the person who asked root for a lab."""
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(path, owner, group)


def _generate(path: Path, comment: str) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path], check=True)


def _pam() -> str:
    """By itself sshd lets nobody in whose password is locked, as root's is where people use sudo."""
    return "yes" if Path("/etc/pam.d/sshd").exists() else "no"
