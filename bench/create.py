"""`cloudsync apply -y` of 10 blank guests against a bare libvirt loop that makes the same disks and domains.

Both are whole processes and take turns, so that both see the same machine. `python -m bench.create [--json]` inside
tests/lab/private.py.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import libvirt

from tests.lab.cloud import blank_cloud, running_agent

GUESTS = 10
BAR = 1.3
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
DISK = """<volume><name>{name}</name><capacity unit='bytes'>{size}</capacity><allocation>0</allocation>
<target><format type='qcow2'/></target>
<backingStore><path>{base}</path><format type='{kind}'/></backingStore></volume>"""


def measure(command: list[str]) -> float:
    """Wall seconds of the whole process."""
    began = time.perf_counter()
    run(command)
    return time.perf_counter() - began


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")


def recipe(connection: libvirt.virConnect) -> list[tuple[str, str]]:
    """Disk and domain XML of the guests that are there, as libvirt tells it."""
    pool = connection.storagePoolLookupByName("cloudsync")
    made = []
    for domain in connection.listAllDomains():
        text = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        disk = ET.fromstring(text).find("devices/disk")
        assert disk is not None
        name = Path(disk.find("source").get("file")).name  # type: ignore[union-attr, arg-type]
        backing = disk.find("backingStore")
        assert backing is not None
        size = pool.storageVolLookupByName(name).info()[1]
        base = backing.find("source").get("file")  # type: ignore[union-attr]
        kind = backing.find("format").get("type")  # type: ignore[union-attr]
        made.append((DISK.format(name=name, size=size, base=base, kind=kind), text))
    return made


def remove_all(connection: libvirt.virConnect) -> None:
    pool = connection.storagePoolLookupByName("cloudsync")
    for domain in connection.listAllDomains():
        domain.destroy()
        domain.undefine()
        pool.storageVolLookupByName(f"{domain.UUIDString()}.root.qcow2").delete()


def rounds(folder: Path) -> tuple[list[float], list[float]]:
    """Seconds of each apply and of each bare loop. The image is in the cache from the first, untimed apply on."""
    program = [str(Path(sys.executable).with_name("cloudsync")), "-f"]
    spec = blank_cloud(folder, GUESTS)
    nothing = spec.with_name("nothing.yaml")
    nothing.write_text(spec.read_text().partition("\ninstances:")[0] + "\n")
    apply = [*program, str(spec), "apply", "-y", "--parallelism", "4"]
    clear = [*program, str(nothing), "apply", "-y", "--allow-destroy", "--allow-mass-delete"]
    wanted = folder / "wanted.json"
    connection = libvirt.open("qemu:///system")
    applied, bare = [], []
    try:
        for number in range(ROUNDS + 1):
            took = measure(apply)
            if number:
                applied.append(took)
            else:
                wanted.write_text(json.dumps(recipe(connection)))
            run(clear)
            took = measure([sys.executable, str(Path(__file__).with_name("bare_create.py")), str(wanted)])
            if number:
                bare.append(took)
            assert connection.numOfDomains() == GUESTS
            remove_all(connection)
    finally:
        remove_all(connection)
        subprocess.run([*program, str(spec), "destroy", "-y", "--allow-destroy"], capture_output=True)
        connection.close()
    return applied, bare


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running_agent():
        applied, bare = rounds(Path(folder))
    value, peer = statistics.median(applied), statistics.median(bare)
    row = {
        "name": f"apply of {GUESTS} new guests, whole process",
        "value": round(value, 3),
        "unit": "s",
        "peer": f"bare libvirt-python loop, 4 threads: {peer:.3f} s",
        "ratio": round(value / peer, 2),
        "bar": f"<= {BAR} x the bare loop",
        "holds": value <= BAR * peer,
    }
    spread = f"[{min(applied):.2f}-{max(applied):.2f}] against [{min(bare):.2f}-{max(bare):.2f}], {ROUNDS} rounds"
    print(json.dumps([row]) if "--json" in sys.argv else f"{row['name']}: {value:.3f} s, {row['peer']} {spread}")


if __name__ == "__main__":
    main()
