"""An sshd on loopback whose keys and configuration are in a folder of the test: this machine as another machine.

The test takes the connections and gives each an `sshd -i` of its own, so that they can be counted, cut, or left without
an answer.
"""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

CONFIG = """\
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
{more}
"""


@dataclass
class Sshd:
    """`mute`: connections are taken and nothing is ever said. `connections` counts them."""

    folder: Path
    listener: socket.socket
    port: int
    mute: bool = False
    connections: int = 0
    children: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    _held: list[socket.socket] = field(default_factory=list)

    @property
    def uri(self) -> str:
        """The host that this is, with the key that it lets in."""
        return self.uri_with(keyfile=self.folder / "key")

    def uri_with(self, keyfile: Path, known_hosts: Path | None = None) -> str:
        known = known_hosts or self.folder / "known_hosts"
        return f"qemu+ssh://root@127.0.0.1:{self.port}/system?keyfile={keyfile}&known_hosts={known}"

    def configure(self, more: str) -> None:
        """For connections to come."""
        (self.folder / "config").write_text(CONFIG.format(folder=self.folder, more=more))

    def cut(self) -> None:
        """Pull the cable: every connection ends."""
        for child in self.children:
            child.kill()
            child.wait()
        self.children.clear()

    def serve(self) -> None:
        """Until the listener is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                if self.mute:
                    self._held.append(connection)
                    continue
                command = ["/usr/sbin/sshd", "-i", "-f", f"{self.folder}/config", "-E", f"{self.folder}/log"]
                with connection:
                    self.children.append(
                        subprocess.Popen(command, stdin=connection.fileno(), stdout=connection.fileno())
                    )

    def close(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
        for connection in self._held:
            connection.close()


def keygen(path: Path) -> str:
    """Make a key pair; the public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", path], check=True)
    return path.with_suffix(".pub").read_text()


@contextmanager
def sshd(folder: Path) -> Iterator[Sshd]:
    """Connections are taken from here on."""
    folder.mkdir()
    listener = socket.create_server(("127.0.0.1", 0))
    found = Sshd(folder, listener, listener.getsockname()[1])
    thread = Thread(target=found.serve, name="sshd", daemon=True)
    try:
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{found.port} {keygen(folder / 'host_key')}")
        (folder / "authorized_keys").write_text(keygen(folder / "key"))
        found.configure("")
        thread.start()
        yield found
    finally:
        found.close()
        if thread.ident:
            thread.join()
