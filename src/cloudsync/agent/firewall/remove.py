"""Taking the data path off a host: our tables, guards, routes and addresses go, everybody else's stay."""

from cloudsync.agent import links
from cloudsync.agent.firewall import nft


def remove() -> None:
    """Raise HostError when the kernel refuses. Removing twice is fine; forwarding stays as it is."""
    nft.delete_tables()
    links.remove()
