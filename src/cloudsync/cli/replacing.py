"""`--replace ADDRESS…`: which instances a plan is to make anew, for `plan` and `apply`."""

from collections.abc import Sequence
from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import CloudsyncError
from cloudsync.spec.suggest import did_you_mean


def replacing(cloud: Cloud, addresses: Sequence[str]) -> Cloud:
    """`cloud` with those to be replaced; the kind may be left out. Raise CloudsyncError for what is no instance."""
    names = [address.removeprefix("instance.") for address in addresses]
    for name in names:
        if name not in cloud.instances:
            raise CloudsyncError(f"--replace: there is no instance {name!r} in the spec", hint(name, cloud))
        if cloud.instances[name].base in cloud.paused:
            raise CloudsyncError(f"--replace: instance.{name} is paused", "take `paused: true` out of the spec first")
    return replace(cloud, replaced=frozenset(names))


def hint(name: str, cloud: Cloud) -> str:
    counted = sorted(one for one, wanted in cloud.instances.items() if wanted.base == name)
    return f"name one of {', '.join(counted)}" if counted else did_you_mean(name, cloud.instances)
