"""What the language has and this version does not carry out yet: refused at its place, never ignored. For `load`."""

from collections.abc import Callable, Iterator

from cloudsync.spec.draft import Draft
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.models import Instance


def unsupported(draft: Draft) -> list[Finding]:
    """One finding for each use."""
    return list(_instances(draft))


def _refuse(trail: Trail, what: str, hint: str = "remove it for now") -> Finding:
    return Finding(trail, f"{what} is understood but not carried out by this version", hint)


# Key of an instance -> what is said when it is used.
_INSTANCE: tuple[tuple[str, str, Callable[[Instance], bool]], ...] = (
    (
        "on_user_data_change",
        "on_user_data_change: replace",
        lambda instance: instance.on_user_data_change == "replace",
    ),
    ("ignore", "ignore", lambda instance: bool(instance.ignore)),
    ("paused", "paused: true", lambda instance: instance.paused),
)


def _instances(draft: Draft) -> Iterator[Finding]:
    for base, instance in draft.instances.items():
        above: Trail = ("instances", base)
        for key, what, used in _INSTANCE:
            if used(instance):
                yield _refuse((*above, key), what)
