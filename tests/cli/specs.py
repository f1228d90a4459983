"""Specs that several files of typed commands begin with."""

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM1B5kTXQ1m2fN0E0c2cVQm4hS0m3v9b8nV2u0w3k5Jd alice@laptop"

ONE = f"""\
version: 1
cloud: demo
hosts: {{kvm-1: {{uri: 'sim:'}}}}
images: {{blank: {{source: 'https://example.org/blank.qcow2', sha256: {"ab" * 32}}}}}
networks: {{default: {{subnet: 10.20.0.0/24}}}}
flavors: {{small: {{vcpus: 1, memory: 512MiB, disk: 4GiB}}}}
"""
"""One simulated host, and what instances need."""

PAIR = f"""\
version: 1
cloud: demo
hosts:
  h1: {{uri: 'sim:'}}
  h2: {{uri: 'sim:'}}
images:
  blank: {{source: 'https://example.org/blank.qcow2', sha256: {"ab" * 32}}}
networks:
  default: {{subnet: 10.20.0.0/24}}
flavors:
  small: {{vcpus: 1, memory: 512MiB, disk: 4GiB}}
keypairs:
  alice: {KEY}
instances:
"""
"""Two simulated hosts, and all that instances need."""

APART = (
    PAIR
    + """\
  db: {image: blank, flavor: small, placement: {host: h1}}
  web: {image: blank, flavor: small, placement: {host: h2}, networks: [{name: default, address: 10.20.0.11}]}
"""
)
"""One on each."""
