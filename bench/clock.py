"""How long things take, by the clock and in processor time, this process's, its children's and an agent's together.

On a machine with nothing else to do the two are about the same; where it is shared, the second says what the first
would be.
"""

import os
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.calm import Measured, Round, measured

T = TypeVar("T")
_PAUSE = 0.05
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Times:
    """Seconds by what was done: (by the clock, of processors), and what a reference took right before. `agent` is a
    process's number."""

    agent: int | None = None
    found: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    beside: dict[str, list[float]] = field(default_factory=dict)

    def add(self, what: str, act: Callable[[], T], beside: float = 0.0) -> T:
        """After a pause: the kernel frees in the background what a change removed, and the next change waits for it."""
        time.sleep(_PAUSE)
        spent, began = self._processor(), time.perf_counter()
        result = act()
        took = time.perf_counter() - began
        self.found.setdefault(what, []).append((took, self._processor() - spent))
        self.beside.setdefault(what, []).append(beside)
        return result

    def measured(self, what: str) -> Measured:
        """Beside the reference."""
        pairs = zip(self.found[what], self.beside[what], strict=True)
        return measured([Round(took, (beside,)) for (took, _), beside in pairs])

    def median(self, what: str) -> float:
        return statistics.median(took for took, _ in self.found[what])

    def processor(self, what: str) -> float:
        """The mean: an agent's is only counted in hundredths of a second."""
        return statistics.mean(spent for _, spent in self.found[what])

    def row(self, name: str, what: str, bar: float) -> dict[str, object]:
        """In ms where the bar is short."""
        unit, factor = ("s", 1.0) if bar >= 0.3 else ("ms", 1e3)
        took = self.median(what)
        return {
            "name": name,
            "value": round(took * factor, 2),
            "unit": unit,
            "peer": f"processor time {self.processor(what) * factor:.3g} {unit}",
            "ratio": None,
            "bar": f"< {bar * factor:g} {unit}",
            "holds": took < bar,
        }

    def _processor(self) -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = time.process_time() + children.ru_utime + children.ru_stime
        if self.agent is None:
            return own
        ticks = Path(f"/proc/{self.agent}/stat").read_text().rpartition(")")[2].split()[11:15]
        return own + sum(map(int, ticks)) / _TICK
