"""Short specs for tests: a working one, and ways to write one."""

from pathlib import Path

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM1B5kTXQ1m2fN0E0c2cVQm4hS0m3v9b8nV2u0w3k5Jd alice@laptop"

HEAD = """\
version: 1
cloud: demo
hosts: {kvm-1: {uri: 'sim:'}}
images: {tiny: {source: 'https://example.org/tiny.raw', sha256: %s}}
flavors: {small: {vcpus: 1, memory: 512MiB, disk: 4GiB}}
""" % ("a" * 64)
NETWORK = "networks: {default: {subnet: 10.20.0.0/16}}\n"


def write(folder: Path, text: str, name: str = "cloud.yaml") -> Path:
    """A spec in `folder`."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
