"""`cloudsync --help` against `python -c "import typer"`, whole processes taking turns. `--json` for rows."""

from bench.process import PROGRAM, TYPER, importing, in_turns, process
from bench.scheduler import show

BAR = 2.0
ROUNDS = 21


def main() -> None:
    found = in_turns(lambda: process([PROGRAM, "--help"]), importing, ROUNDS)
    ratio = found.took / found.beside
    row = {
        "name": "cloudsync --help, whole process",
        "value": round(found.took, 3),
        "unit": "s",
        "peer": f"{TYPER.name} {found.beside:.3f} s; {found}",
        "ratio": round(ratio, 2),
        "bar": f"<= {BAR} x",
        "holds": ratio <= BAR,
    }
    show([row])


if __name__ == "__main__":
    main()
