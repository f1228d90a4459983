"""Steps on the host `here`, as a plan would have them."""

from cloudsync.hosts.host import Host
from cloudsync.model.resources import Instance
from cloudsync.model.step import CreateInstance

GATEWAYS = {"default": "10.20.0.1"}


def say_nothing(_: str) -> None:
    pass


def create(instance: Instance) -> CreateInstance:
    return CreateInstance(
        id="create",
        host="here",
        address=f"instance.{instance.name}",
        instance=instance,
        gateways=GATEWAYS,
        cloud="lab",
        generation=1,
        autostart=instance.autostart,
    )


def perform(host: Host, *steps: object, blobs: dict[str, bytes] | None = None) -> None:
    for step in steps:
        host.perform(step, blobs or {}, say_nothing)  # type: ignore[arg-type]
