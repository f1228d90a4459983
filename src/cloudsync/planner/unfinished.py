"""What an apply left half-done that was cut off: nobody has changed that from outside."""

from cloudsync.model.resources import Power
from cloudsync.planner.seen import Pair

REASON = "not finished by an earlier apply"


def unfinished(pair: Pair) -> bool:
    """Whether it was written into the document and never came to start. Its host tells of every machine that was
    started once, whether its guest has said anything or not. Of one that is to be off the disk tells that it was there.
    """
    record, machine, home = pair.record, pair.machine, pair.home
    if record is None or home is None or pair.wanted is None or pair.replaced or home.uuid in pair.source.boots:
        return False
    if record.state is Power.STOPPED:
        return machine is None and not pair.has_disk
    return machine is None or machine.power is Power.STOPPED


def interrupted(pair: Pair) -> bool:
    """Whether its host says that the last apply was to change it, and never ended: that may have left it as it is."""
    if pair.record is None or pair.wanted is None or pair.replaced:
        return False
    return f"instance.{pair.record.name}" in pair.source.cut_off
