"""What a plan says and does nothing about: drift that is ignored, instances that are left alone or run on older
user-data. Pure; called by make.py."""

from collections.abc import Iterable, Iterator, Mapping

from cloudsync.model.resources import Instance, Network, Seed
from cloudsync.planner import show
from cloudsync.planner.act import ignored
from cloudsync.planner.drift import of_pair, power
from cloudsync.planner.seen import Pair, Sight
from cloudsync.spec.words import some


def notes(
    sight: Sight, desired: Iterable[Instance], networks: Mapping[str, Network], held: Iterable[Pair]
) -> tuple[str, ...]:
    """`held` are those that are left alone, beside how they would be."""
    return (*_ignored(sight), *_left_alone(held, networks), *_older(desired))


def _ignored(sight: Sight) -> Iterator[str]:
    for pair in sight.pairs:
        if not pair.held and ignored(pair):
            yield f"instance.{pair.name}: {power(pair)}: left alone, its state is ignored"


def _left_alone(held: Iterable[Pair], networks: Mapping[str, Network]) -> Iterator[str]:
    quiet = []
    for pair in held:
        found = [one.message for one in of_pair(pair, networks)]
        if found:
            yield f"instance.{pair.name} is paused and left alone: {'; '.join(found)}"
        else:
            quiet.append(pair.name)
    if quiet:
        yield f"{_names(quiet)} {'is' if len(quiet) == 1 else 'are'} paused and left alone"


def _older(desired: Iterable[Instance]) -> Iterator[str]:
    found: dict[Seed, list[str]] = {}
    for one in desired:
        if one.seed is not None:
            found.setdefault(one.seed, []).append(one.name)
    for seed, names in found.items():
        yield (
            f"{_names(names)} {'runs' if len(names) == 1 else 'run'} on {show.seed(seed)}; "
            f"cloud-init runs only once: to take what the spec says now, --replace"
        )


def _names(names: list[str]) -> str:
    return some([f"instance.{name}" for name in names])
