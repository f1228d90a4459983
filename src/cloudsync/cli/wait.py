"""`apply --wait`: until every running instance has reported that cloud-init is done."""

from functools import partial
from threading import Event

from cloudsync.cli.exits import Exit
from cloudsync.cli.say import say
from cloudsync.hosts.ask import at_once
from cloudsync.hosts.fleet import Fleet
from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Power
from cloudsync.model.snapshot import Boot, HostState


def wait(cloud: Cloud, fleet: Fleet, timeout: float) -> int:
    """1 when a guest did not report within `timeout` seconds, or reported that something failed."""
    hosts = [host for host in fleet.observe().hosts.values() if host.reachable]
    over = Event()
    try:
        results = at_once([partial(_wait_host, cloud, fleet, host, timeout, over) for host in hosts])
    finally:
        over.set()
    return Exit.DONE if all(results) else Exit.FAILED


def _wait_host(cloud: Cloud, fleet: Fleet, host: HostState, timeout: float, over: Event) -> bool:
    """`over`: Ctrl-C. That the connection ends then is no news."""
    names = _awaited(cloud, host)
    stages: dict[str, str] = {}
    good = True

    def seen(boot: Boot) -> None:
        nonlocal good
        name = names[boot.uuid]
        stage = "cloud-init is done" if boot.finished else boot.stage.partition("/")[0]
        if boot.finished and boot.failures:
            good = False
            stage = f"cloud-init is done, with failures: {', '.join(boot.failures)}"
        if stage and stages.get(name) != stage:
            stages[name] = stage
            say(f"{name}: {stage}")

    for uuid in names.keys() & host.boots.keys():
        if host.boots[uuid].failures:
            seen(host.boots[uuid])
    left = {uuid: name for uuid, name in names.items() if not _done(host, uuid)}
    if not left:
        return good
    say(f"waiting for cloud-init in {', '.join(sorted(left.values()))}")
    try:
        fleet.drivers[host.name].wait_booted(left, seen, timeout)
    except HostError as error:
        if not over.is_set():
            say(f"error: {error.message}" + (f"\nhint: {error.hint}" if error.hint else ""))
        return False
    return good


def _awaited(cloud: Cloud, host: HostState) -> dict[str, str]:
    """Name by uuid of what should run here."""
    instances = host.document.instances.values() if host.document else ()
    return {
        instance.uuid: instance.name
        for instance in instances
        if instance.name in cloud.instances and instance.state is Power.RUNNING
    }


def _done(host: HostState, uuid: str) -> bool:
    return uuid in host.boots and host.boots[uuid].finished
