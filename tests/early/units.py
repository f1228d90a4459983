"""The systemd units as values."""

from collections import defaultdict

from tests.house.tree import TOP

GUARD, AGENT = (TOP / "src" / "cloudsync" / "packaging" / f"cloudsync-{name}.service" for name in ("guard", "agent"))


def settings(unit: str) -> dict[str, list[str]]:
    """Every setting with the words of all its lines."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in unit.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name] += value.split()
    return found
