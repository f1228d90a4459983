"""Taking the data path off a host: our tables and guards go, everybody else's stay."""

from cloudsync.agent.firewall import nft
from cloudsync.agent.links.netlink import delete_guards


def remove() -> None:
    """Raise HostError when the kernel refuses. Removing twice is fine; forwarding stays as it is."""
    nft.delete_tables()
    delete_guards()
