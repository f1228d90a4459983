"""Random specs on real packets between stand-in guests, against the pure model. In tests/lab/private.py; `--json` for
rows."""

import json
import sys
import time

from tests.firewall.arena import Difference, built
from tests.firewall.search import search
from tests.firewall.worlds import EMPTY

PROBES, EACH = 10_000, 50


def main() -> None:
    with built(EMPTY) as arena:
        began = time.perf_counter()
        differences = 0
        try:
            while arena.probes < PROBES:
                search(arena, trials=(PROBES - arena.probes) // (2 * EACH) + 1, probes=EACH)
        except Difference as found:
            differences = 1
            print(found, file=sys.stderr)
        took = time.perf_counter() - began
    row = {
        "name": f"differences from the model in {arena.probes:,} probes ({arena.packets:,} packets)",
        "value": differences,
        "unit": "differences",
        "peer": f"{arena.probes / took:.0f} probes/s",
        "ratio": None,
        "bar": f"0 in {PROBES:,} or more",
        "holds": differences == 0 and arena.probes >= PROBES,
    }
    print(json.dumps([row]) if "--json" in sys.argv else f"{row['name']}: {differences} ({row['peer']})")


if __name__ == "__main__":
    main()
