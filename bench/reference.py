"""A bar in seconds, beside something that was timed where it was set, and is timed again in the same run.

A bar holds by its seconds. The ratio says what of a miss is the machine's: on one of another speed both take longer, or
both less. Benchmarks with bars in seconds make their rows here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """`there` is the seconds that `name` took on the machine where the bars were set."""

    name: str
    there: float

    def row(self, name: str, took: float, here: float, bar: float, beside: str = "") -> dict[str, object]:
        """`took` is what is held against `bar`, `here` what the reference takes on this machine; all in seconds."""
        unit, factor = ("s", 1.0) if bar >= 0.3 else ("ms", 1e3)
        most = bar / self.there
        peer = f"{self.name} {here * factor:.3g} {unit} here, {self.there * factor:.3g} {unit} where the bar was set"
        return {
            "name": name,
            "value": round(took * factor, 3 if unit == "s" else 2),
            "unit": unit,
            "peer": "; ".join(text for text in (peer, beside) if text),
            "ratio": round(took / here, 2),
            "bar": f"< {bar * factor:g} {unit}; where it was set, that is {most:.3g} x the other",
            "holds": took < bar,
        }


LOAD = Reference("load of the reference layout", 0.1625)
MEMBER = Reference("one more member by the reference layout", 0.005)
LISTING = Reference("listing of the reference layout", 0.131)
