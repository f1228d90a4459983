"""The exact commands that let instances' packets through another program's rules (pure).

Letting everything of a tap through is safe: our own chains come first, and a drop of theirs is final.
"""

import shlex

from cloudsync.agent.firewall.names import TAPS
from cloudsync.agent.links.remote import PORT
from cloudsync.agent.neighbours.foreign import Tool
from cloudsync.agent.neighbours.owner import DOCKER_USER, Owner
from cloudsync.model.dataclass import dataclass

PROGRAMS = ("iptables-nft", "iptables-legacy", "iptables", "ufw", "firewall-cmd")
"""Tools whose presence decides about a fix."""
_IPTABLES_TAPS = TAPS.replace("*", "+")
_ZONE = "cloudsync"
_FIREWALLD = (
    f"--new-zone={_ZONE}",
    f"--zone={_ZONE} --set-target=ACCEPT",
    f"--zone={_ZONE} --add-interface={_IPTABLES_TAPS}",
    f"--new-policy={_ZONE}-in",
    f"--policy={_ZONE}-in --add-ingress-zone=ANY",
    f"--policy={_ZONE}-in --add-egress-zone={_ZONE}",
    f"--policy={_ZONE}-in --set-target=ACCEPT",
)
_NOTES = {
    Owner.DOCKER: "the rules outlive a restart of Docker but not of the machine: to keep them, have the same commands "
    "run by ExecStartPost= lines (systemctl edit docker)",
    Owner.IPTABLES: "the rules are gone after a restart of the machine: to keep them, put them where its other "
    "iptables rules come from (netfilter-persistent save)",
    Owner.NFTABLES: "the rules are gone when that table is loaded anew: to keep them, put them into the file it comes "
    "from (mostly /etc/nftables.conf)",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """A base chain that stops packets, from taps (`outward`) or to them; or the tunnel's own, from here or to here."""

    family: str
    table: str
    tool: Tool
    chain: str
    hook: str
    outward: bool
    tunnelled: bool = False


def remedy(owner: Owner, stop: Stop, programs: frozenset[str]) -> tuple[str, ...]:
    """Command lines for root, in order."""
    if owner is Owner.FIREWALLD:
        all_words = (f"--add-port={PORT}/udp",) if stop.tunnelled else _FIREWALLD
        return (*(f"firewall-cmd --permanent {words}" for words in all_words), "firewall-cmd --reload")
    if owner is Owner.UFW:
        return (_ufw(stop),)
    tool = _iptables(stop.tool, programs)
    if tool is None:
        return (_nft(stop),)
    table = f"-t {stop.table} " if stop.table != "filter" else ""
    chain = DOCKER_USER if owner is Owner.DOCKER else stop.chain
    return (f"{tool} {table}-I {chain} {_side(stop)} -j ACCEPT",)


def _side(stop: Stop) -> str:
    """Other people's tunnels end at the same port, and what comes by ours, our own chains have looked at."""
    if stop.tunnelled:
        return f"-p udp --dport {PORT}"
    return f"{'-i' if stop.outward else '-o'} {_IPTABLES_TAPS}"


def note(owner: Owner) -> str:
    """How long the remedy lasts; empty when it stays."""
    return _NOTES.get(owner, "")


def _ufw(stop: Stop) -> str:
    if stop.tunnelled:
        return f"ufw prepend allow {'out' if stop.outward else 'in'} proto udp to any port {PORT}"
    routed = "route " if stop.hook == "forward" else ""
    way = "in" if stop.outward else "out"
    return f"ufw {routed}prepend allow {way} on {_IPTABLES_TAPS}"


def _iptables(tool: Tool, programs: frozenset[str]) -> str | None:
    """`iptables` alone may be either kind: it stands for nft's only where there is no legacy one beside it."""
    if tool is Tool.NFT:
        return None
    if tool.value in programs or tool is Tool.IPTABLES_LEGACY:
        return tool.value
    return "iptables" if "iptables" in programs and "iptables-legacy" not in programs else None


def _nft(stop: Stop) -> str:
    """In a nat chain `accept` leaves the connection to the next one, which is ours."""
    side = f'{"iifname" if stop.outward else "oifname"} "{TAPS}"'
    let = f"udp dport {PORT}" if stop.tunnelled else side
    return shlex.join(["nft", "insert", "rule", stop.family, stop.table, stop.chain, f"{let} accept"])
