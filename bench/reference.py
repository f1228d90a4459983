"""A bar in seconds, beside something that was timed where it was set, and is timed again in the same run.

A bar holds by its seconds. The ratio says what of a miss is the machine's: on one of another speed both take longer, or
both less. Benchmarks with bars in seconds make their rows here.
"""

from dataclasses import dataclass

from bench.calm import Measured


@dataclass(frozen=True)
class Reference:
    """`there` is the seconds that `name` took on the machine where the bars were set."""

    name: str
    there: float

    def row(self, name: str, found: Measured, bar: float, more: str = "") -> dict[str, object]:
        """What was `found` beside the reference, held against `bar` seconds."""
        unit, factor = ("s", 1.0) if bar >= 0.3 else ("ms", 1e3)
        most = bar / self.there
        here = f"{found.beside * factor:.3g} {unit} here"
        peer = f"{self.name} {here}, {self.there * factor:.3g} {unit} where the bar was set"
        return {
            "name": name,
            "value": round(found.took * factor, 3 if unit == "s" else 2),
            "unit": unit,
            "peer": "; ".join(text for text in (peer, str(found), more) if text),
            "ratio": round(found.took / found.beside, 2),
            "bar": f"< {bar * factor:g} {unit}; where it was set, that is {most:.3g} x the other",
            "holds": found.took < bar,
        }


LOAD = Reference("load of the reference layout", 0.1625)
MEMBER = Reference("one more member by the reference layout", 0.005)
LISTING = Reference("listing of the reference layout", 0.131)
