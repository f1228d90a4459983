"""One more rule in a libvirt nwfilter that live interfaces use: the peer of the same change in firewall.py.

libvirt makes the rules of a filter anew on every interface that has it, a program's run for each, before it answers.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import libvirt

NAME = "cloudsync-bench"
_FILTER = """<filter name='{name}' chain='root'>{uuid}{rules}
<rule action='drop' direction='in' priority='900'><all/></rule></filter>"""
_RULE = "<rule action='accept' direction='in' priority='500'><tcp dportstart='{port}'/></rule>"
_DOMAIN = """<domain type='qemu'><name>{name}-{number}</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os>
<cpu mode='custom' match='exact'><model fallback='allow'>qemu64</model></cpu>
<devices><controller type='usb' model='none'/><memballoon model='none'/><interface type='ethernet'>
<mac address='52:54:00:fe:00:{number:02x}'/><target dev='nwf{number}'/><model type='virtio'/><rom enabled='no'/>
<filterref filter='{name}'/></interface></devices></domain>"""


def one_rule_more(rules: int, ports: int, rounds: int = 2) -> float:
    """Median seconds of the change, for `ports` machines whose filter has `rules` rules."""
    libvirt.registerErrorHandler(lambda *_: None, None)
    connection = libvirt.open("qemu:///system")
    with _machines(connection, rules, ports) as uuid:
        return statistics.median(_timed(connection, rules + 1 + at, uuid) for at in range(rounds))


def _timed(connection: libvirt.virConnect, rules: int, uuid: str) -> float:
    began = time.perf_counter()
    connection.nwfilterDefineXML(_xml(rules, uuid))
    return time.perf_counter() - began


@contextmanager
def _machines(connection: libvirt.virConnect, rules: int, ports: int) -> Iterator[str]:
    """Blank ones, each with the filter on its only interface. The filter's uuid."""
    found = connection.nwfilterDefineXML(_xml(rules))
    started = []
    try:
        for number in range(ports):
            started.append(connection.createXML(_DOMAIN.format(name=NAME, number=number), 0))
        yield found.UUIDString()
    finally:
        for domain in started:
            domain.destroy()
        with suppress(libvirt.libvirtError):
            found.undefine()
        connection.close()


def _xml(rules: int, uuid: str = "") -> str:
    listed = "".join(_RULE.format(port=1000 + number) for number in range(rules))
    return _FILTER.format(name=NAME, uuid=f"<uuid>{uuid}</uuid>" if uuid else "", rules=listed)


if __name__ == "__main__":
    print(f"{one_rule_more(30, 10):.3f} s")
