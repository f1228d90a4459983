"""Guests' packets under the rules: what a flood loses while they change, and what a connection and a byte cost.

`python -m bench.packets [--json]` inside tests/lab/private.py. Guests are network namespaces. flood.c floods, turns.c
and iperf3 compare: rulesets with each other, with the reference layout of the same policy, and with none.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.crowd import SERVICE, crowd, one_member_more, one_port_more, one_rule_more
from bench.throughput import chance, gigabits
from bench.turns import AGAIN, CT, FROM_PORT, NOTHING, REFERENCE, Site, compiled, ratio, sites, taken
from cloudsync.agent.firewall import nft
from cloudsync.agent.firewall.compile import compile_document
from cloudsync.agent.firewall.delta import delta
from cloudsync.model.delta import difference, patched
from cloudsync.model.document import HostDocument
from tests.lab.standins import METADATA_PORT

SECONDS = float(os.environ.get("BENCH_SECONDS", "30"))
PROCESSORS = os.sched_getaffinity(0)
LOAD, *_, REST = sorted(PROCESSORS) * 2
"""The processor that makes the traffic, and, where there is another, the one that changes the rules."""
RATE, NEW_RATE, FLOOD_SECONDS = 200_000, 100_000, 6.0
FEW, MANY, MOST = "10 ports", "200 ports", "1,000 ports"
SIZES = {FEW: (10, 5, 30, 100), MANY: (200, 20, 30, 2000), MOST: (1000, 100, 30, 100)}
"""Ports, groups, rules a group, members a group; each port is in two groups."""
WHICH = (NOTHING, NOTHING + AGAIN, CT, CT + AGAIN, FEW, MANY, MOST, REFERENCE + FEW, REFERENCE + MANY, REFERENCE + MOST)
STREAMED = (NOTHING, NOTHING + AGAIN, CT, MANY, REFERENCE + MANY)
SAME = 0.99
"""Labs with the same rules differ by that much."""


def connections_row(rounds: dict[str, list[float]], costs: dict[str, list[float]]) -> dict[str, object]:
    """By the clock, a server on the same processor, as where the bar was set; its price in processor time beside it."""
    ours, theirs = (ratio(rounds, one, CT) for one in (MANY, REFERENCE + MANY))
    return {
        "name": f"connections with {MANY}",
        "value": rate(rounds, MANY),
        "unit": "/s",
        "peer": f"one conntrack rule {rate(rounds, CT):,}, and again {ratio(rounds, CT + AGAIN, CT):.3f} x that; "
        f"reference layout {theirs:.3f} x that, 0.888 where the bar was set; {shares(costs, CT)}",
        "ratio": round(ours, 3),
        "bar": ">= 0.88 x one conntrack rule",
        "holds": ours >= 0.88,
    }


def shares(costs: dict[str, list[float]], of: str) -> str:
    ours, theirs = (ratio(costs, one, of) for one in (MANY, REFERENCE + MANY))
    return f"for a second of processor time {ours:.3f} x, reference layout {theirs:.3f} x"


def packets_row(costs: dict[str, list[float]]) -> dict[str, object]:
    """As cheap as the reference layout."""
    ours, theirs = (ratio(costs, one, CT) for one in (MANY, REFERENCE + MANY))
    return {
        "name": f"packets of an established flow with {MANY}, for a second of processor time",
        "value": rate(costs, MANY),
        "unit": "",
        "peer": f"one conntrack rule {rate(costs, CT):,}, and again {ratio(costs, CT + AGAIN, CT):.3f} x that; "
        f"reference layout {theirs:.3f} x that, 0.875 where bars were set; empty ruleset {rate(costs, NOTHING):,}",
        "ratio": round(ours, 3),
        "bar": f">= {theirs:.3f} x one conntrack rule, as the reference layout",
        "holds": ratio(costs, MANY, REFERENCE + MANY) >= SAME,
    }


def flat_row(name: str, rounds: dict[str, list[float]]) -> dict[str, object]:
    value = ratio(rounds, MOST, FEW)
    return {
        "name": f"{name} with {MOST}, for a second of processor time",
        "value": rate(rounds, MOST),
        "unit": "",
        "peer": f"{FEW} {rate(rounds, FEW):,}; reference layout from {FEW} to {MOST} "
        f"{ratio(rounds, REFERENCE + MOST, REFERENCE + FEW):.3f} x",
        "ratio": round(value, 3),
        "bar": f">= 0.95 x {FEW}",
        "holds": value >= 0.95,
    }


def throughput_row(streams: dict[str, list[float]], costs: dict[str, list[float]]) -> dict[str, object]:
    """As much as with no rules. One run of iperf3 differs from the next by more than rules cost: `chance` says how far
    medians of so few can be trusted. Beside it stands one conntrack rule: no firewall that keeps state costs less."""
    empty = [*streams[NOTHING], *streams[NOTHING + AGAIN]]
    middle = statistics.median(empty)
    p, like = chance(streams[MANY], empty), chance(streams[MANY], streams[CT])
    ours, theirs, once, twice, state = (
        statistics.median(streams[one]) / middle for one in (MANY, REFERENCE + MANY, NOTHING, NOTHING + AGAIN, CT)
    )
    return {
        "name": f"TCP throughput with {MANY}",
        "value": round(ours * middle, 1),
        "unit": "Gbit/s",
        "peer": f"empty {middle:.1f}, one {once:.3f} x that, one {twice:.3f}; reference layout {theirs:.3f}, "
        f"0.937 where the bar was set; one conntrack rule {state:.3f}; iperf3, medians of {len(streams[MANY])} rounds, "
        f"that far apart by chance in {p:.0%} of cases, and from one conntrack rule in {like:.0%}; "
        f"{shares(costs, NOTHING)}",
        "ratio": round(ours, 3),
        "bar": ">= 0.95 x empty rulesets",
        "holds": ours >= 0.95,
    }


def rate(rounds: dict[str, list[float]], which: str) -> int:
    return round(1e6 / statistics.median(rounds[which]))


def flood(site: Site, program: str, fresh: bool, rate: int, seconds: float) -> "subprocess.Popen[str]":
    """UDP, with a processor to itself."""
    first, second = site.ends
    ends = (first.nic.tap, first.nic.mac, site.router, first.address, str(FROM_PORT), second.address, str(SERVICE))
    command = ["taskset", "-c", str(LOAD), "ip", "netns", "exec", site.lab.host.name, program, *ends]
    return subprocess.Popen([*command, str(seconds), str(rate), str(int(fresh))], stdout=subprocess.PIPE, text=True)


def fastest(site: Site, program: str, fresh: bool) -> float:
    """Packets for a second of processor time when none has to wait."""
    said, _ = flood(site, program, fresh, rate=0, seconds=1.0).communicate()
    count, _, spent = map(float, said.split())
    return count / spent


def flood_row(found: dict[str, Site], document: HostDocument, program: str, fresh: bool) -> dict[str, object]:
    """Members, rules and ports come and go, and all rules are written anew, all the while."""
    site, wanted = found[MANY], NEW_RATE if fresh else RATE
    for one in (site, found[NOTHING]):
        one.establish()
    most, empty = fastest(site, program, fresh), fastest(found[NOTHING], program, fresh)
    before = site.arrived(), site.lab.dropped(), backlog()
    process = flood(site, program, fresh, wanted, FLOOD_SECONDS)
    changes = churn(site, document, lambda: process.poll() is None)
    said, _ = process.communicate()
    sent, took = int(said.split()[0]), float(said.split()[1])
    lost, dropped, queued = sent - site.arrived() + before[0], site.lab.dropped() - before[1], backlog() - before[2]
    kind = "each from another port" if fresh else "of one established flow"
    return {
        "name": f"packets lost in a flood, {kind}, while the rules change",
        "value": lost,
        "unit": "packets",
        "peer": f"{sent:,} at {sent / took:,.0f} a second over {changes} changes; rules dropped {dropped}, full queues "
        f"before them {queued}; as fast as they go {most:,.0f} for a second of processor time, {most / empty:.2f} x an "
        "empty ruleset",
        "ratio": None,
        "bar": f"0 at {wanted:,} a second",
        "holds": lost == 0 and sent / took >= 0.99 * wanted,
    }


def backlog() -> int:
    """Packets that a processor had no room for before any rule saw them."""
    lines = Path("/proc/net/softnet_stat").read_text().splitlines()
    return sum(int(line.split()[1], 16) for line in lines)


def churn(site: Site, document: HostDocument, flooding: Callable[[], bool]) -> int:
    """Changes until the flood is over; how many. Every eighth is the repair that writes all rules anew."""
    made = 0
    changed = [shared(document, grow(document, 1)) for grow in (one_member_more, one_rule_more, one_port_more)]
    whole = delta(compile_document(document, METADATA_PORT), compile_document(document, METADATA_PORT), rewrite=True)
    while flooding():
        if made % 8 == 6:
            site.lab.host.enter(lambda: nft.commit(whole))
        else:
            site.apply(changed[made // 2 % 3] if made % 2 else document)
        made += 1
    site.apply(document)
    return made


def shared(old: HostDocument, new: HostDocument) -> HostDocument:
    """As an agent has it that got the difference."""
    return patched(old, difference(old, new))


def rows(folder: Path) -> list[dict[str, object]]:
    documents = {name: crowd(*size) for name, size in SIZES.items()}
    program = compiled(folder, "turns")
    with sites(WHICH, documents) as found:
        kinds = ("packet", "connect", "bulk", "ask")
        costs = {kind: taken(program, kind, found, SECONDS, LOAD) for kind in kinds}
        os.sched_setaffinity(0, PROCESSORS)
        streams = gigabits({name: found[name] for name in STREAMED})
        os.sched_setaffinity(0, {REST})
        floods = [flood_row(found, documents[MANY], compiled(folder, "flood"), fresh) for fresh in (False, True)]
    return [
        *floods,
        throughput_row(streams, costs["bulk"]),
        connections_row(costs["ask"], costs["connect"]),
        flat_row("connections", costs["connect"]),
        packets_row(costs["packet"]),
        flat_row("packets of an established flow", costs["packet"]),
    ]


def main() -> None:
    os.sched_setaffinity(0, {REST})
    with tempfile.TemporaryDirectory() as folder:
        found = rows(Path(folder))
    if "--json" in sys.argv:
        print(json.dumps(found))
        return
    for one in found:
        mark = "" if one["holds"] else "  MISSED"
        print(
            f"{one['name']}: {one['value']} {one['unit']} ({one['peer']}; ratio {one['ratio']}; bar {one['bar']}){mark}"
        )


if __name__ == "__main__":
    main()
