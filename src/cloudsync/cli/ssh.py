"""`ssh NAME`: OpenSSH with the host keys that the guest itself reported, so that nobody trusts on first use.

A guest on another machine is reached through the connection to its host: its address leads nowhere from here.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

from cloudsync.cli.keystore import private_key_path
from cloudsync.cli.machine import Found, found, need_running
from cloudsync.model.problem import CloudsyncError


def run(path: Path, name: str, arguments: list[str]) -> int:
    """Run ssh; its code, which is the remote command's. `arguments` follow the name as they are: ssh itself takes
    options there, up to the command or `--`."""
    with found(path, name) as machine:
        need_running(path, machine)
        boot = machine.host.boots.get(machine.instance.uuid)
        if boot is None or not boot.host_keys:
            raise CloudsyncError(
                f"{machine.instance.name} has not reported its host keys yet",
                f"see how far it is: cloudsync -f {path} logs {machine.instance.name}",
            )
        return connect(machine, boot.host_keys, arguments)


def connect(machine: Found, host_keys: tuple[str, ...], arguments: list[str]) -> int:
    """Hand over to OpenSSH."""
    program = shutil.which("ssh")
    if program is None:
        raise CloudsyncError("ssh is not there", "install OpenSSH's client: apt-get install openssh-client")
    with tempfile.TemporaryDirectory(prefix="cloudsync-ssh-") as folder:
        config = write_config(machine, host_keys, Path(folder))
        command = ["ssh", "-F", str(config), machine.instance.name, *arguments]
        code = os.spawnv(os.P_WAIT, program, command)  # noqa: S606
    return code if code >= 0 else 128 - code


def write_config(machine: Found, host_keys: tuple[str, ...], folder: Path) -> Path:
    """An ssh configuration in which the person's own settings come first and so win."""
    instance = machine.instance
    alias = f"cloudsync-{instance.uuid}"
    known = folder / "known_hosts"
    known.write_text("".join(f"{alias} {key}\n" for key in host_keys))
    image = machine.cloud.images.get(instance.image_name)
    login = image.login if image else ""
    lines = [f"  HostName {instance.nics[0].address}", f"  HostKeyAlias {alias}", f"  GlobalKnownHostsFile {known}"]
    lines += ["  StrictHostKeyChecking yes", "  UpdateHostKeys no"]
    jump = machine.driver.jump()
    lines += [f"  ProxyCommand {jump}"] if jump else []
    lines += [f"  User {login}"] if re.fullmatch(r"[a-z_][a-z0-9_-]*", login) else []
    keys = [private_key_path(machine.cloud.name, name) for name in instance.keypairs]
    lines += [f'  IdentityFile "{key}"' for key in keys if key.exists()]
    config = folder / "config"
    config.write_text(
        "Include ~/.ssh/config\n"
        + f"Host {instance.name}\n"
        + "\n".join(lines)
        + "\nHost *\nInclude /etc/ssh/ssh_config\n"
    )
    return config
