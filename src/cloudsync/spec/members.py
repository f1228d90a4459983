"""Which instances a key under `instances` stands for. Pure; the checks and `expand` use it."""

from collections.abc import Mapping

from cloudsync.spec.models import Instance


def members(base: str, instance: Instance) -> list[str]:
    """`web` itself, or `web-1`, `web-2`, … when it has a count."""
    if instance.count is None:
        return [base]
    return [f"{base}-{index}" for index in range(1, instance.count + 1)]


def default_network(networks: Mapping[str, object] | frozenset[str]) -> str | None:
    """The network of an instance that names none: `default`, else the only one."""
    if "default" in networks:
        return "default"
    return next(iter(networks)) if len(networks) == 1 else None
