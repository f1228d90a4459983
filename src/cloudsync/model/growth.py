"""How far a machine may grow while it runs. QEMU is told when it starts and never again, so it is always given room.

The planner writes it into the steps (order.py) and asks what a running machine can take in (grow.py).
"""

from cloudsync.model.resources import Instance
from cloudsync.model.snapshot import Usage

SLOTS = 16
"""How many times memory can be added before the next start."""
_TIMES = 4
"""A guest pays for room that it does not use, with a few percent of it for tables; twice doubled lasts long enough."""
_MOST_VCPUS = 240
"""From 256 on libvirt asks for an IOMMU, which not every guest can drive."""
_BLOCK = 128 << 20
"""What Linux takes memory in and hands it out by."""
_LARGE = 62 << 30
_LARGE_BLOCK = 2 << 30
"""In a guest that has that much from the beginning, Linux takes in larger blocks: up to these."""


def block(memory: int) -> int:
    """Of a machine with so much memory: whole multiples of it can be added."""
    return _BLOCK if memory < _LARGE else _LARGE_BLOCK


def headroom(one: Instance, raw: Usage) -> Usage:
    """What `one` may grow to without a restart on a host that has `raw`: no single one ever exceeds its host."""
    vcpus = min(one.vcpus * _TIMES, raw.vcpus, _MOST_VCPUS)
    more = min(max(one.memory * (_TIMES - 1), _BLOCK), raw.memory - one.memory) // _BLOCK * _BLOCK
    return Usage(vcpus=max(one.vcpus, vcpus), memory=one.memory + max(0, more))
