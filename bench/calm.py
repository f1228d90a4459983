"""Of what was timed in turns with a reference, the rounds in which the machine was itself.

On a shared one the neighbours take the processors away for moments, and what is timed then says how busy they were. The
reference alone says which moments those were: it was slow then too.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_SLOWER = 1.15
_LEAST = 3


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds: what was timed, and what the reference took in its turns right beside that."""

    took: float
    beside: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians in seconds, of the calm rounds and of what the reference took in them; `whole` is that of all rounds."""

    took: float
    beside: float
    whole: float
    calm: int
    rounds: int

    def __str__(self) -> str:
        return f"in the calmest {self.calm} of {self.rounds} rounds, {self.whole / self.took:.2f} x that in all"


def measured(rounds: Sequence[Round]) -> Measured:
    """Calm are rounds in which the reference took hardly longer than in its best tenth, and three at least."""
    ordered = sorted(rounds, key=lambda one: max(one.beside))
    bound = _SLOWER * max(ordered[len(ordered) // 10].beside)
    calm = [one for at, one in enumerate(ordered) if at < _LEAST or max(one.beside) <= bound]
    return Measured(
        took=statistics.median(one.took for one in calm),
        beside=statistics.median(statistics.mean(one.beside) for one in calm),
        whole=statistics.median(one.took for one in rounds),
        calm=len(calm),
        rounds=len(rounds),
    )
