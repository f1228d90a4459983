"""What any program must do at least: the disks and domains of a JSON file, [[disk XML, domain XML], …], in 4 threads.

`python bench/bare_create.py FILE`: the peer of `cloudsync apply` in create.py, timed as a whole process too.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import libvirt

connection = libvirt.open("qemu:///system")
pool = connection.storagePoolLookupByName("cloudsync")


def make(disk: str, domain: str) -> None:
    pool.createXML(disk)
    machine = connection.defineXML(domain)
    machine.setAutostart(1)
    machine.create()


if __name__ == "__main__":
    pairs = json.loads(Path(sys.argv[1]).read_text())
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda pair: make(*pair), pairs))
