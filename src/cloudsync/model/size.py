"""Bytes as people write them."""


def size(count: int) -> str:
    """`512 MiB`, `4 GiB`, `1.5 TiB`."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{value:.4g} {unit}"
        value /= 1024
    return f"{value:.4g} TiB"
