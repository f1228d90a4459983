"""What another program on a host does to the traffic of instances, and the commands that end it."""

from cloudsync.model.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Rules that are not ours and stop packets that ours let through, or translate their addresses before ours do.

    `owner` is whose they are: Docker, ufw, firewalld, iptables, nftables. It `does` one of "stops" and "diverts" to
    `traffic`. `where` are the chains, each with what ends a packet there. `fix` are command lines for root on that
    host, in order; `note` is how to keep the fix over a reboot, or what could not be read.
    """

    owner: str
    does: str = "stops"
    traffic: tuple[str, ...]
    where: tuple[str, ...]
    fix: tuple[str, ...]
    note: str = ""

    def __str__(self) -> str:
        return f"{self.owner} {self.does} {', '.join(self.traffic)}"
