"""`start`, `stop` and `reboot NAME`: power, now. The spec's `state` stays what is wanted, the plan says so, and the
host's next boot goes by it."""

from pathlib import Path

from cloudsync.cli.machine import Found, found
from cloudsync.cli.say import say
from cloudsync.cli.who import who
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import Power
from cloudsync.model.step import StartInstance, StopInstance

_GRACE = 60.0
"""Seconds that a guest has to go off by itself."""


def start(path: Path, name: str) -> None:
    """Have it run: booted, or resumed where it is paused."""
    with found(path, name) as it:
        power = _power(it)
        if power is Power.RUNNING:
            say(f"{it.instance.name} runs already")
            return
        if power is not Power.PAUSED:
            _need_disks(it)
        _act(it, _start(it))
        say(f"{it.instance.name} runs")
        _remind(it, Power.RUNNING)


def stop(path: Path, name: str, force: bool) -> None:
    """Press the power button, and pull the plug of a guest that does not listen; with `force` at once."""
    with found(path, name) as it:
        if _power(it) is Power.STOPPED:
            say(f"{it.instance.name} is off already")
            return
        _act(it, _stop(it, force))
        say(f"{it.instance.name} is off")
        _remind(it, Power.STOPPED)


def reboot(path: Path, name: str, force: bool) -> None:
    """Off and on again, as Nova does it: what was changed in its definition is in force then."""
    with found(path, name) as it:
        off = [_stop(it, force)] if _power(it) is not Power.STOPPED else []
        _need_disks(it)
        _act(it, *off, _start(it))
        say(f"{it.instance.name} runs again")
        _remind(it, Power.RUNNING)


def _power(it: Found) -> Power:
    machine = it.host.machines.get(it.instance.uuid)
    if machine is None:
        raise CloudsyncError(f"{it.instance.name} is not there", "`cloudsync plan` says why; apply makes it")
    return machine.power


def _need_disks(it: Found) -> None:
    """What is off cannot be started without them, and what runs holds all that is left of them."""
    one, host = it.instance, it.host
    if one.uuid not in host.disks:
        raise CloudsyncError(
            f"{one.name}: its root disk is gone from {host.name}, {one.uuid}.root.qcow2",
            f"put that file back, or have it made anew, empty: cloudsync -f {it.cloud.path} apply "
            f"--replace instance.{one.name}",
        )
    for disk in one.disks:
        if disk.made and disk.id not in host.data:
            raise CloudsyncError(
                f"{one.name}: its disk {disk.name} is gone from {host.name}, {disk.id}.data.qcow2",
                "put that file back, or take its line out of the spec, which gives it up, and apply",
            )


def _act(it: Found, *steps: StartInstance | StopInstance) -> None:
    """Behind the lock: never in the middle of an apply."""
    with it.driver.lock(who()):
        for step in steps:
            it.driver.perform(step, {}, say)


def _start(it: Found) -> StartInstance:
    address = f"instance.{it.instance.name}"
    return StartInstance(id=f"{address}/start", host=it.host.name, address=address, uuid=it.instance.uuid)


def _stop(it: Found, force: bool) -> StopInstance:
    address, grace = f"instance.{it.instance.name}", 0.0 if force else _GRACE
    return StopInstance(id=f"{address}/stop", host=it.host.name, address=address, uuid=it.instance.uuid, grace=grace)


def _remind(it: Found, power: Power) -> None:
    wanted = it.cloud.instances.get(it.instance.name)
    if wanted and wanted.state is not power:
        say(f"the spec says `state: {wanted.state.value}`: the next apply sees to that")
