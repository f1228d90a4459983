"""What the Parts of links made goes from the kernel; settings stay, since others may rely on them."""

from cloudsync.agent.links import netlink, tables, vxlan, ways


def remove() -> None:
    """Raise HostError when the kernel refuses. Removing twice is fine."""
    tables.fall_silent(tables.answered())
    tables.delete_device()
    tables.delete_routes(tables.unreachable())
    ways.delete(ways.present())
    vxlan.delete()
    netlink.delete_guards()
