"""`init`: a commented cloud.yaml for this machine. It validates and plans as it is; machines come by removing `#`."""

import os
import platform
import re
from pathlib import Path

from cloudsync.cli.say import say
from cloudsync.model.problem import CloudsyncError

STARTER = """\
# What should exist. `cloudsync plan` shows what would change, `cloudsync apply` makes it so.
version: 1
cloud: {cloud}                  # every host belongs to exactly one cloud

hosts:
  {host}:
    uri: qemu:///system          # this machine; to try without a hypervisor: 'sim:?vcpus=16&memory=64GiB'

networks:
  default:
    subnet: 10.20.0.0/16         # guests' addresses; routed, no bridge
    dns: []                      # resolvers to forward to, such as [9.9.9.9]; names of instances always resolve
    nat: true                    # guests may leave through the host's uplink

flavors:
  small: {{vcpus: 1, memory: 512MiB, disk: 4GiB}}

{keypairs}

security_groups:
  web:
    ingress:
      - {{protocol: tcp, ports: [22, 80], from: any}}
      - {{protocol: icmp, type: echo-request, from: any}}

# An image, then a machine: put your own file or URL in, and take the `# ` away.
# images:
#   debian-12:
#     source: file:/path/to/debian-12-genericcloud-amd64.qcow2    # or https://... with sha256:
#     login: debian              # who `cloudsync ssh` logs in as
#
# instances:
#   web:
#     count: 1                   # web-1; more makes web-2, ...
#     image: debian-12
#     flavor: small
#     keypairs: [{key}]
#     security_groups: [default, web]
#     user_data: |
#       #cloud-config
#       runcmd: [[touch, /run/hello]]
"""


def write(path: Path, force: bool) -> None:
    """Write it; an existing file is kept unless `force`."""
    from cloudsync.spec.edit import entry, written

    name, key = _public_key()
    none = "keypairs: {}                    # cloudsync keypair create NAME"
    keypairs = f"keypairs:\n  {entry(name, key)}" if key else none
    host = re.sub(r"[^a-z0-9-]+", "-", platform.node().lower())[:40].strip("-") or "kvm-1"
    text = STARTER.format(cloud=_cloud(path), host=host, keypairs=keypairs, key=written(name))
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    try:
        with os.fdopen(os.open(path, flags, 0o644), "w") as file:
            file.write(text)
    except FileExistsError:
        raise CloudsyncError(f"{path} exists and is not overwritten", "use --force, or -f for another name") from None
    except OSError as error:
        raise CloudsyncError(f"{path} cannot be written: {error.strerror}", "choose another place with -f") from None
    say(f"{path} written; next: cloudsync -f {path} plan")


def _cloud(path: Path) -> str:
    """After the folder: another cloud's name would take over that cloud's hosts."""
    name = re.sub(r"[^a-z0-9]+", "-", path.absolute().parent.name.lower()).strip("-")[:40].rstrip("-")
    return name if name[:1].isalpha() else f"cloud-{name}".rstrip("-")


def _public_key() -> tuple[str, str]:
    """The person's own key as (name, line), or a name alone."""
    from cloudsync.spec.publickey import parse

    name = re.sub(r"[^a-z0-9_-]+", "-", (os.environ.get("USER") or "me").lower()).strip("-") or "me"
    for candidate in ("id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"):
        try:
            line = (Path.home() / ".ssh" / candidate).read_text(encoding="utf-8").strip()
            parse(line)
        except (OSError, ValueError):
            continue
        return name, line
    return name, ""
