"""What differs between two instances, field by field, and how much carrying it out disturbs."""

from collections.abc import Callable

from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Disruption, Field
from cloudsync.model.resources import Instance
from cloudsync.model.size import size
from cloudsync.planner import compare, disks, show

KEEPS = "a guest that has booted keeps what cloud-init gave it"
MTU = "a guest takes the new packet size at its next boot; until then the host asks it for smaller ones"


@dataclass(frozen=True, slots=True)
class Row:
    """One field: what of the instance is compared, its text, the class when it differs, and a reason to show.

    RESTART is the class of what the domain has: act.py knows whether it takes one.
    """

    path: str
    value: Callable[[Instance], object]
    text: Callable[[Instance], str]
    disruption: Disruption
    reason: str = ""


ROWS = (
    Row("name", lambda one: one.name, lambda one: one.name, Disruption.RESTART),
    Row("flavor", lambda one: one.flavor, lambda one: one.flavor, Disruption.NONE),
    Row("vcpus", lambda one: one.vcpus, lambda one: str(one.vcpus), Disruption.RESTART),
    Row("memory", lambda one: one.memory, lambda one: size(one.memory), Disruption.RESTART),
    Row("disk", lambda one: one.disk, lambda one: size(one.disk), Disruption.RESTART),
    Row("disks", disks.sizes, lambda one: str(len(one.disks)), Disruption.RESTART),
    Row("network", lambda one: [nic.network for nic in one.nics], lambda one: _networks(one), Disruption.RESTART),
    Row("address", lambda one: [nic.address for nic in one.nics], show.addresses, Disruption.RESTART),
    Row("mtu", lambda one: {nic.mtu for nic in one.nics}, show.mtu, Disruption.NONE, MTU),
    Row("port_security", show.port_security, show.port_security, Disruption.LIVE),
    Row("floating_ip", lambda one: one.floating, show.floating, Disruption.LIVE),
    Row("security_groups", lambda one: one.groups, lambda one: show.listed(one.groups), Disruption.LIVE),
    Row("keypairs", lambda one: one.keypairs, lambda one: show.listed(one.keypairs), Disruption.NONE, KEEPS),
    Row("user_data", lambda one: one.user_data, lambda one: show.user_data(one.user_data), Disruption.NONE, KEEPS),
    Row("metadata", lambda one: one.metadata, lambda one: str(len(one.metadata)), Disruption.NONE, KEEPS),
    Row("ignore", lambda one: one.ignore, lambda one: show.listed(one.ignore), Disruption.NONE),
    Row("zone", lambda one: one.availability_zone, lambda one: one.availability_zone or "none", Disruption.NONE),
    Row("index", lambda one: one.launch_index, lambda one: str(one.launch_index), Disruption.NONE),
    Row("protect", lambda one: one.protect, lambda one: str(one.protect).lower(), Disruption.NONE),
    Row("image", lambda one: one.image_name, lambda one: one.image_name, Disruption.NONE),
)
"""Everything but the image's content, the power state and the UUID, which are changes of their own kind."""


def differing(before: Instance, after: Instance) -> tuple[Row, ...]:
    """The rows in which the two differ."""
    return () if before == after else tuple(row for row in ROWS if row.value(before) != row.value(after))


def as_fields(row: Row, before: Instance, after: Instance) -> tuple[Field, ...]:
    """One difference as it is shown; metadata key by key, data disks one by one."""
    if row.path == "metadata":
        return compare.fields(before.metadata, after.metadata, "metadata.")
    if row.path == "disks":
        return compare.fields(disks.sizes(before), disks.sizes(after), "disks.")
    return (Field(path=row.path, before=row.text(before), after=row.text(after)),)


def _networks(one: Instance) -> str:
    return show.listed(tuple(nic.network for nic in one.nics))
