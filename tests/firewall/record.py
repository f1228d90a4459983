"""What the real nft prints for `sample()`: `python -m tests.firewall.record`, as root, writes recordings/ anew.

For when the compiler writes something else: read the diff.
"""

import json
from pathlib import Path

from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.render import render
from cloudsync.agent.firewall.ruleset import FAMILIES, TABLE
from tests.firewall.documents import sample
from tests.lab.namespace import Namespace

RECORDINGS = Path(__file__).parent / "recordings" / "nft-1.0.6"


def record() -> None:
    namespace = Namespace.new("record")
    try:
        namespace.run("nft", "-f", "-", stdin=render(compile_document(sample(), 8775)))
        for family in FAMILIES:
            listing = namespace.run("nft", "-j", "-n", "list", "table", family, TABLE).stdout
            lines = ",\n".join(json.dumps(entry) for entry in json.loads(listing)["nftables"])
            (RECORDINGS / f"{family}.json").write_text(f'{{"nftables": [\n{lines}\n]}}\n')
    finally:
        namespace.remove()


if __name__ == "__main__":
    record()
