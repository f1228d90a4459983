"""The recordings as tables, and what the judge says of them."""

from pathlib import Path

from cloudsync.agent.neighbours import iptables, nftables
from cloudsync.agent.neighbours.foreign import Table, Tool
from cloudsync.agent.neighbours.judge import obstacles
from cloudsync.agent.neighbours.packet import packets
from cloudsync.agent.neighbours.remedy import PROGRAMS
from cloudsync.model.obstacle import Obstacle

FOLDER = Path(__file__).parent / "recordings"


def text(name: str) -> str:
    return (FOLDER / name).read_text()


def tables(name: str) -> tuple[Table, ...]:
    if name.endswith(".json"):
        return nftables.read_tables(text(name))
    return iptables.read_tables(text(name), Tool(name.rpartition(".")[2]))


def found(name: str, programs: frozenset[str] = frozenset(PROGRAMS)) -> tuple[Obstacle, ...]:
    return obstacles(tables(name), tuple(packets(None, "up0", 8775)), programs)
